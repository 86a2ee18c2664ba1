/*
 * The magic links of a process outside: root, cwd, and a descriptor that is open for writing.
 */
#include "attack.h"

static int
attack(void)
{
	if (write_byte(format_path(proc_path(victim_pid, "root"), world_path("outside/victim"))))
		return escaped("wrote through /proc/PID/root");
	if (write_byte(proc_path(victim_pid, "cwd/victim")))
		return escaped("wrote through /proc/PID/cwd");
	if (write_byte(proc_path(victim_pid, "fd/5")))
		return escaped("wrote through /proc/PID/fd");
	return held("open");
}
