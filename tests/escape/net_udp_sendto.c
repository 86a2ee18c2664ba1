/*
 * A datagram to an address that no rule allows, by sendto and by connect and send.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return held("socket");
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && send(fd, "x", 1, 0) == 1 &&
		gives_secret(dup(fd)))
		return escaped("sent a datagram by a connected socket");
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return gives_secret(fd) ? escaped("sent a datagram") : held("read");
}
