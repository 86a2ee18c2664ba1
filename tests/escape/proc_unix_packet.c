/*
 * A seqpacket socket outside.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("packet"));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected to a socket outside") : held("read");
}
