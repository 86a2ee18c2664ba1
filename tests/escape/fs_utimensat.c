/*
 * Times of a file outside, by path and by a read-only descriptor.
 */
#include "attack.h"

static int
attack(void)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	const char *victim = world_path("outside/victim");

	if (utimensat(AT_FDCWD, victim, times, 0) == 0)
		return escaped("changed times outside");
	if (futimens(open(victim, O_RDONLY), times) == 0)
		return escaped("changed times outside by a descriptor");
	return held("utimensat");
}
