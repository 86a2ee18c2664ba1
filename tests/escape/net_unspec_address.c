/*
 * AF_UNSPEC in the address of bind, which the kernel takes for AF_INET, with the wildcard.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("0.0.0.0", 7010);
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_family = AF_UNSPEC;
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind");
	getsockname(fd, (struct sockaddr *)&name, &length);
	return name.sin_addr.s_addr == 0 ? escaped("listens on every address") : held("getsockname");
}
