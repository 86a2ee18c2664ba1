/*
 * --deny-net closes an address where the network is open otherwise, UDP as well.
 *
 * porta: --deny-net 203.0.113.6:*
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (connect_attack4("203.0.113.6", 80, "reached a denied address") == 0)
		return 0;
	if (fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) == 1 && gives_secret(fd))
		return escaped("sent a datagram to a denied address");
	return held("connect");
}
