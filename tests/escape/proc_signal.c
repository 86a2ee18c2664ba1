/*
 * A signal to a process outside, by kill, tgkill and rt_sigqueueinfo.
 */
#include "attack.h"

static int
attack(void)
{
	if (kill(victim_pid, SIGUSR1) == 0)
		return escaped("signalled a process outside");
	if (syscall(SYS_tgkill, victim_pid, victim_pid, SIGUSR1) == 0)
		return escaped("signalled a thread outside");
	return held("kill");
}
