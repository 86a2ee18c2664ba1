/*
 * kill(0) and kill(-group) from a process group that is shared with what is outside.
 */
#include "attack.h"

static int
attack(void)
{
	if (kill(-getpgid(victim_pid), SIGUSR1) == 0 && getpgid(victim_pid) > 0)
		return escaped("signalled a process group outside");
	return held("kill");
}
