/*
 * Limits of a process outside are changed.
 */
#include "attack.h"

#include <sys/resource.h>

static int
attack(void)
{
	struct rlimit limit = { 10, 10 };

	if (prlimit(victim_pid, RLIMIT_NOFILE, &limit, NULL) < 0)
		return held("prlimit");
	return escaped("changed a limit of a process outside");
}
