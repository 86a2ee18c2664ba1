/*
 * As root: mount_setattr clears the read-only flag of the root.
 *
 * users: root
 */
#include "attack.h"

#include <linux/mount.h>

static int
attack(void)
{
	struct mount_attr attributes = { .attr_clr = MOUNT_ATTR_RDONLY };

	/* A mount namespace of its own, for the control; where that is refused, the attack goes on. */
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return held("mount_setattr");
	return write_byte(world_path("outside/victim")) ? escaped("wrote to a file outside") : held("open");
}
