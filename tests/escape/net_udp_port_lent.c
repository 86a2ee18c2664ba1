/*
 * The other way round: the port is taken first, with SO_REUSEADDR, so that a service of the host that starts later
 * joins it and shares what is sent there; a connected socket has all that its peer sends.
 */
#include "udp_ports.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("127.0.0.1", 7012);
	int fd = share(AF_INET, false), second = share(AF_INET, false);
	int on = 0;
	socklen_t length = sizeof(on);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("bind");
	getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &length);
	if (bind(second, (struct sockaddr *)&name, sizeof(name)) == 0)
		return escaped("a port can be joined");
	return on ? escaped("a port is lent") : held("bind");
}
