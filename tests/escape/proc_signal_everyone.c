/*
 * kill(-1) reaches every process that the user may signal. (Signal 0: the control would end the session.)
 *
 * judged: outside
 * control: none
 */
#include "attack.h"

static int
attack(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	kill(-1, SIGUSR2);
	syscall(SYS_rt_sigqueueinfo, victim_pid, SIGUSR1, &info);
	return tried("kill(-1)");
}
