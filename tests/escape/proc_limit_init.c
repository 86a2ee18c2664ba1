/*
 * Init, pid 1 of the sandbox and of the same user, loses its limits and its turn on the CPU, so
 * that it cannot put protected names right.
 *
 * control: none
 * tier-2: not-claimed
 */
#include "attack.h"

#include <sys/resource.h>

static int
attack(void)
{
	struct rlimit none = { 0, 0 };
	struct sched_param idle = { 0 };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (prlimit(1, RLIMIT_NOFILE, &none, NULL) == 0)
		return escaped("took init's descriptors away");
	if (sched_setscheduler(1, SCHED_IDLE, &idle) == 0)
		return escaped("made init idle");
	if (sched_setaffinity(1, sizeof(first), &first) == 0)
		return escaped("chose init's CPU");
	if (setpriority(PRIO_PROCESS, 1, 19) == 0 || setpriority(PRIO_USER, 0, 19) == 0)
		return escaped("lowered init's priority");
	return held("setpriority");
}
