/*
 * Priority, scheduler, CPUs and I/O priority of a process outside.
 */
#include "attack.h"

#include <sys/resource.h>

static int
attack(void)
{
	struct sched_param parameters = { 0 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (setpriority(PRIO_PROCESS, (id_t)victim_pid, 19) == 0)
		return escaped("setpriority");
	if (sched_setaffinity(victim_pid, sizeof(cpus), &cpus) == 0)
		return escaped("sched_setaffinity");
	if (sched_setscheduler(victim_pid, SCHED_BATCH, &parameters) == 0)
		return escaped("sched_setscheduler");
	if (syscall(SYS_ioprio_set, 1, victim_pid, (3 << 13) | 7) == 0)
		return escaped("ioprio_set");
	return held("setpriority");
}
