/*
 * An ICMP datagram socket, which needs no privilege.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 0);
	unsigned char echo[8] = { 8 };
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	if (fd < 0)
		return held("socket");
	if (sendto(fd, echo, sizeof(echo), 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return recv(fd, echo, sizeof(echo), 0) > 0 ? escaped("an echo came back") : held("recv");
}
