/*
 * open_tree clones the tree of mounts into a descriptor, through which hidden files are looked for.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, world_path("home"), 1 /* OPEN_TREE_CLONE */);

	if (fd < 0)
		return held("open_tree");
	fd = openat(fd, ".ssh/id_ed25519", O_RDONLY);
	if (fd < 0)
		return held("openat");
	return gives_secret(fd) ? escaped("read a key in a cloned tree") : held("read");
}
