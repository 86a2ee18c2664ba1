/*
 * The kernel is asked to send SIGIO, as the owner of a descriptor, to a process outside.
 */
#include "attack.h"

static int
attack(void)
{
	int pair[2];

	if (pipe(pair) < 0 || fcntl(pair[0], F_SETOWN, victim_pid) < 0)
		return held("F_SETOWN");
	if (fcntl(pair[0], F_SETSIG, SIGUSR1) < 0 || fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
		return held("F_SETSIG");
	if (write(pair[1], "x", 1) != 1)
		return held("write");
	usleep(100000);
	return tried("SIGIO");
}
