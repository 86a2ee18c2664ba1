/* Says that it began, waits for as many milliseconds as its argument says, says that it woke up. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int
main(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 1000;
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	puts("begun");
	fflush(stdout);
	if (nanosleep(&time, NULL) < 0)
		return 1;
	puts("woke up");
	return 0;
}
