/*
 * listen(2) without bind takes the wildcard address.
 *
 * porta: --net outbound
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in6 name = { 0 };
	struct sockaddr_in name4 = { 0 };
	socklen_t length = sizeof(name), length4 = sizeof(name4);
	int fd = socket(AF_INET6, SOCK_STREAM, 0), fd4 = socket(AF_INET, SOCK_STREAM, 0);

	if (listen(fd, 5) < 0 || listen(fd4, 5) < 0)
		return held("listen");
	getsockname(fd, (struct sockaddr *)&name, &length);
	getsockname(fd4, (struct sockaddr *)&name4, &length4);
	if (name4.sin_addr.s_addr == 0 || IN6_IS_ADDR_UNSPECIFIED(&name.sin6_addr))
		return escaped("listens on every address");
	errno = EADDRNOTAVAIL;
	return held("loopback instead");
}
