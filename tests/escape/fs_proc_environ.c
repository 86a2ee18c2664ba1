/*
 * /proc/PID/environ and cmdline of a process outside, and of what started the sandbox.
 *
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (file_has_secret(proc_path(victim_pid, "environ")))
		return escaped("read the environment of a process outside");
	if (access(proc_path(victim_pid, "cmdline"), R_OK) == 0)
		return escaped("saw a process outside");
	return held("open");
}
