/*
 * A socket of another program below /tmp is linked to a name of the sandbox's own below /tmp.
 */
#include "attack.h"

static int
attack(void)
{
	char own[64];

	snprintf(own, sizeof(own), "/tmp/porta-attack-%d", (int)getpid());
	struct sockaddr_un name = unix_name(own);
	if (link(service_path("in-tmp/stream"), own) < 0)
		return held("link");
	int result = stream_attack(AF_UNIX, &name, sizeof(name), "connected to a socket by a link");
	unlink(own);
	return result;
}
