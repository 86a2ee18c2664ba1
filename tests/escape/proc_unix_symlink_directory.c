/*
 * The directory of the path is an absolute symlink, which leads elsewhere in another view of the tree.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name("directory/stream");

	if (symlink(services, "directory") < 0)
		return held("symlink");
	return stream_attack(AF_UNIX, &name, sizeof(name), "connected through a symlinked directory");
}
