/*
 * A socket outside by its path, as docker's, ssh-agent's, the session bus's and tmux's are.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("stream"));

	return stream_attack(AF_UNIX, &name, sizeof(name), "connected to a socket outside");
}
