/*
 * A datagram to a socket outside from one of a pair, which no socket() call made.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("datagram"));
	int pair[2] = { -1, -1 };

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		return held("socketpair");
	if (sendto(pair[0], "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return escaped("sent a datagram from a pair");
}
