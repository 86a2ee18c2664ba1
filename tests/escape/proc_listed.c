/*
 * Processes outside are seen in /proc.
 *
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (access(proc_path(victim_pid, "status"), F_OK) == 0)
		return escaped("saw a process outside");
	return held("access");
}
