/* Traps in the way that its argument names, after a line on stdout. */
#include <stdio.h>
#include <string.h>

typedef int function_of_int(int);

static volatile int zero;

int
main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "unreachable";

	puts("before the trap");
	fflush(stdout);
	if (strcmp(way, "memory") == 0)
		return *(volatile int *)0xfffffff0UL;
	if (strcmp(way, "divide") == 0)
		return argc * 1000 / zero;
	if (strcmp(way, "indirect") == 0)
		return ((function_of_int *)(zero + 12345))(1);
	__builtin_trap();
}
