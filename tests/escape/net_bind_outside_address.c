/*
 * bind to an address of the machine beyond loopback.
 *
 * porta: --net outbound
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.9", 7013), got;
	socklen_t length = sizeof(got);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("bind");
	getsockname(fd, (struct sockaddr *)&got, &length);
	return got.sin_addr.s_addr == name.sin_addr.s_addr ? escaped("listens beyond loopback") : held("bind");
}
