/*
 * SO_REUSEPORT joins a port on which a service of the host listens, and takes its connections.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("127.0.0.1", 7002);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return held("SO_REUSEPORT");
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("bind");
	return listen(fd, 5) == 0 ? escaped("joined a service's port") : held("listen");
}
