/*
 * bind to the wildcard address, IPv4, IPv6 and mapped.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in6 name = ipv6("::", 7011), got;
	socklen_t length = sizeof(got);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind");
	getsockname(fd, (struct sockaddr *)&got, &length);
	if (IN6_IS_ADDR_UNSPECIFIED(&got.sin6_addr))
		return escaped("listens on every address");
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	name = ipv6("::ffff:0.0.0.0", 7012);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind, mapped");
	length = sizeof(got);
	getsockname(fd, (struct sockaddr *)&got, &length);
	static const unsigned char mapped_any[16] = { [10] = 0xff, 0xff };
	if (memcmp(&got.sin6_addr, mapped_any, 16) == 0 || IN6_IS_ADDR_UNSPECIFIED(&got.sin6_addr))
		return escaped("listens on every IPv4 address");
	errno = EADDRNOTAVAIL;
	return held("loopback instead");
}
