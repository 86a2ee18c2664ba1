/*
 * bind to the wildcard address, IPv4, IPv6 and mapped.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in6 name = ipv6("::", 7011);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind");
	if (listens_everywhere(fd))
		return escaped("listens on every address");
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	name = ipv6("::ffff:0.0.0.0", 7012);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind, mapped");
	if (listens_everywhere(fd))
		return escaped("listens on every IPv4 address");
	errno = EADDRNOTAVAIL;
	return held("loopback instead");
}
