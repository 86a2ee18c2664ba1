/*
 * A datagram socket that waits at the wildcard address, which is tied to the loopback device: a connect to AF_UNSPEC
 * would untie it and leave it its port.
 *
 * porta: --net outbound
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("0.0.0.0", 7009);
	struct sockaddr nothing = { .sa_family = AF_UNSPEC };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("bind");
	connect(fd, &nothing, sizeof(nothing));
	return listens_everywhere(fd) ? escaped("receives datagrams from everywhere") : held("bind");
}
