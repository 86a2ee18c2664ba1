/* What the programs that measure share: the clock, times in their order, commands on a command line. */
#ifndef PORTA_BENCH_TIMES_H
#define PORTA_BENCH_TIMES_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double
times_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline int
times_compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The shortest first: times[count / 2] is the median then. */
static inline void
times_sort(double *times, size_t count)
{
	qsort(times, count, sizeof(*times), times_compare);
}

/* Cuts `COMMAND... [--next COMMAND...]...` into commands; returns how many, or -1 for more than `max`. */
static inline int
times_split_commands(char **words, char ***commands, int max)
{
	int count = 0;

	commands[count++] = words;
	for (; *words != NULL; words++) {
		if (strcmp(*words, "--next") != 0)
			continue;
		*words = NULL;
		if (count == max)
			return -1;
		commands[count++] = words + 1;
	}
	return count;
}

#endif
