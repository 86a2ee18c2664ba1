/*
 * A listener of the sandbox on 127.0.0.2 or ::1 taken as leave for 127.0.0.1.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("127.0.0.2", 7001);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 5) < 0)
		return held("listen");
	return connect_attack4("127.0.0.1", 7001, "an own listener on 127.0.0.2 opened 127.0.0.1");
}
