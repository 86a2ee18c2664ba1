/*
 * The same where the network is open: a service's connections are still not the sandbox's.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("127.0.0.1", 7002);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (syscall(SYS_setsockopt, fd, (1UL << 32) | SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return held("SO_REUSEPORT");
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("bind");
	return listen(fd, 5) == 0 ? escaped("joined a service's port") : held("listen");
}
