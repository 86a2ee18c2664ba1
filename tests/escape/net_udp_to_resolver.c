/*
 * Port 53 of an address outside: DNS goes to porta alone.
 *
 * porta: --allow-net *:53 --allow-net *:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 53);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return gives_secret(fd) ? escaped("sent a datagram to a resolver of its choice") : held("read");
}
