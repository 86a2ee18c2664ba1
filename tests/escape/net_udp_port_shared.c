/*
 * SO_REUSEADDR joins the port of a service that has it too, and takes what is sent to it: said with the upper halves
 * of the arguments set, for IPv6, for a v4-mapped address, and from a socket that is tied to a device.
 */
#include "udp_ports.h"

static int
attack(void)
{
	struct sockaddr_in v4 = ipv4("127.0.0.1", 7001);
	struct sockaddr_in wildcard = ipv4("0.0.0.0", 7001);
	struct sockaddr_in6 v6 = ipv6("::1", 7001);
	struct sockaddr_in6 mapped = ipv6("::ffff:127.0.0.1", 7001);

	if (takes_datagrams(share(AF_INET, false), &v4, sizeof(v4), &v4, sizeof(v4)) ||
	    takes_datagrams(share(AF_INET, true), &v4, sizeof(v4), &v4, sizeof(v4)) ||
	    takes_datagrams(share(AF_INET6, false), &v6, sizeof(v6), &v6, sizeof(v6)) ||
	    takes_datagrams(share(AF_INET6, false), &mapped, sizeof(mapped), &v4, sizeof(v4)))
		return escaped("took a service's datagrams");
	int fd = share(AF_INET, false);
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
	if (takes_datagrams(fd, &wildcard, sizeof(wildcard), &v4, sizeof(v4)))
		return escaped("took a service's datagrams through a device");
	return held("bind");
}
