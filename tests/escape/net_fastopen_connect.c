/*
 * TCP_FASTOPEN_CONNECT puts the connect off until the first write.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)) < 0)
		return held("TCP_FASTOPEN_CONNECT");
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || write(fd, "x", 1) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected by a write") : held("read");
}
