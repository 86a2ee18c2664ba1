/*
 * A socket outside is hard-linked, renamed or symlinked into the mount, where sockets are allowed.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name("here");

	if (link(service_path("stream"), "here") < 0 && rename(service_path("in-tmp/stream"), "here") < 0 &&
		symlink(service_path("stream"), "here") < 0)
		return held("link");
	int outcome = stream_attack(AF_UNIX, &name, sizeof(name), "connected to a socket by a link");
	/* Without mounts /tmp and the working directory are one place: it could be moved, and others need it. */
	rename("here", service_path("in-tmp/stream"));
	return outcome;
}
