/*
 * The flags of chattr(1), which need only a read-only descriptor, on a file outside.
 *
 * may-be-absent: not every file system keeps these flags
 */
#include "attack.h"

#include <linux/fs.h>

static int
attack(void)
{
	int flags = 0;
	int fd = open(world_path("outside/victim"), O_RDONLY);

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return absent("FS_IOC_GETFLAGS");
	flags ^= FS_NODUMP_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		return held("FS_IOC_SETFLAGS");
	return escaped("changed flags outside");
}
