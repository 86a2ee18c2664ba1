/*
 * A listener of the sandbox on ::1 taken as leave for the same port of 127.0.0.1.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in6 name = ipv6("::1", 7003);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("listen");
	return connect_attack4("127.0.0.1", 7003, "an own listener on ::1 opened 127.0.0.1");
}
