/* Calls itself until the engine's stack is full: the frames need none of the guest's memory. */
#include <stdio.h>

static volatile int depth_max = 1 << 30;

__attribute__((noinline)) static int
descend(int depth)
{
	if (depth >= depth_max)
		return depth;
	return descend(depth + 1) + depth_max;
}

int
main(void)
{
	printf("%d\n", descend(0));
	return 0;
}
