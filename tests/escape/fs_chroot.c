/*
 * As root: out of a chroot by a directory kept open, as if the sandbox were one.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	mkdir("jail", 0755);
	if (chroot("jail") < 0)
		fd = AT_FDCWD;
	fchdir(fd);
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			break;
	chroot(".");
	if (write_byte(world_path("outside/victim")))
		return escaped("wrote to a file outside");
	return held("open");
}
