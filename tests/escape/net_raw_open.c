/*
 * Raw and packet sockets where the network is open: they could read and forge the host's traffic.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	if (socket(AF_PACKET, SOCK_RAW, htons(3)) >= 0)
		return escaped("a packet socket");
	return held("socket");
}
