/*
 * A TCP rule is no leave for datagrams to the same address and port.
 *
 * porta: --allow-net 203.0.113.6:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return gives_secret(fd) ? escaped("sent a datagram") : held("read");
}
