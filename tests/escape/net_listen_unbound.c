/*
 * listen(2) without bind takes the wildcard address.
 *
 * porta: --net outbound
 */
#include "attack.h"

static int
attack(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0), fd4 = socket(AF_INET, SOCK_STREAM, 0);

	if (listen(fd, 5) < 0 || listen(fd4, 5) < 0)
		return held("listen");
	if (listens_everywhere(fd) || listens_everywhere(fd4))
		return escaped("listens on every address");
	errno = EADDRNOTAVAIL;
	return held("loopback instead");
}
