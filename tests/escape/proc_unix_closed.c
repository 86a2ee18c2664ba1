/*
 * The same where the network is closed to loopback, and where it is blocked.
 *
 * porta: --net blocked
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("stream"));

	return stream_attack(AF_UNIX, &name, sizeof(name), "connected to a socket outside");
}
