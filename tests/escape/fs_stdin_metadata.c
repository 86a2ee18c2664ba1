/*
 * Mode and times of a file outside that is the standard input; it is reopened for writing, too.
 *
 * stdin: outside/victim
 */
#include "attack.h"

static int
attack(void)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	if (write_byte("/proc/self/fd/0"))
		return escaped("reopened the standard input for writing");
	if (fchmod(0, 0777) == 0)
		return escaped("changed the mode");
	if (futimens(0, times) == 0)
		return escaped("changed the times");
	return held("fchmod");
}
