/* The time that passes: CLOCK_MONOTONIC, of no meaning but for differences. */
#ifndef PORTA_UTIL_CLOCK_H
#define PORTA_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t
clock_now_ms(void)
{
	return clock_now_ns() / 1000000;
}

#endif
