/*
 * A socket of another program below /tmp, which is writable, as X11's is.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("in-tmp/stream"));

	return stream_attack(AF_UNIX, &name, sizeof(name), "connected to a socket in /tmp");
}
