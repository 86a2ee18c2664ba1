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
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_family = AF_UNSPEC;
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind");
	return listens_everywhere(fd) ? escaped("listens on every address") : held("getsockname");
}
