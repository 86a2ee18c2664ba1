/*
 * A multipath TCP socket, which a filter that looks for TCP overlooks.
 *
 * porta: --allow-net 203.0.113.5:80
 * may-be-absent: a kernel without MPTCP
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	int fd = socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);

	if (fd < 0)
		return errno == EPROTONOSUPPORT ? absent("socket") : held("socket");
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected by MPTCP") : held("read");
}
