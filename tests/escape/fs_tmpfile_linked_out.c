/*
 * An unnamed file made in the mount is given a name outside.
 */
#include "attack.h"

static int
attack(void)
{
	char magic[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0644);

	if (fd < 0)
		return held("O_TMPFILE");
	snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, magic, AT_FDCWD, world_path("outside/new"), AT_SYMLINK_FOLLOW) < 0)
		return held("linkat");
	return escaped("a file was made outside");
}
