/*
 * SIOCSPGRP and FIOSETOWN make a process outside the owner of a socket.
 */
#include "attack.h"

#include <linux/sockios.h>

static int
attack(void)
{
	int pair[2], pid = victim_pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return held("socketpair");
	if (ioctl(pair[0], FIOSETOWN, &pid) < 0 && ioctl(pair[0], SIOCSPGRP, &pid) < 0)
		return held("FIOSETOWN");
	fcntl(pair[0], F_SETSIG, SIGUSR1);
	fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	if (write(pair[1], "x", 1) != 1)
		return held("write");
	usleep(100000);
	return tried("SIGIO by a socket");
}
