/*
 * A datagram over IPv6, to loopback and beyond.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in6 name = ipv6("2001:db8::6", 80);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return gives_secret(fd) ? escaped("sent a datagram over IPv6") : held("read");
}
