/*
 * In a user namespace of its own: a new mount hides, then the mount below is taken away, and hidden files are read.
 */
#include "attack.h"

#include <sys/wait.h>

static int
attack(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return held("unshare");
	if (mount("none", world_path("outside"), "tmpfs", 0, NULL) < 0)
		return held("mount");
	if (umount2(world_path("outside"), MNT_DETACH) < 0)
		return held("umount");
	return write_byte(world_path("outside/victim")) ? escaped("wrote to a file outside") : held("open");
}
