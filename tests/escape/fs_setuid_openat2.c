/*
 * A setuid program made by openat2, whose mode is in memory, with O_TMPFILE and creat.
 *
 * judged: outside
 */
#include "attack.h"

#include <linux/openat2.h>

static int
attack(void)
{
	struct open_how how = { .flags = O_WRONLY | O_CREAT, .mode = 04755 };
	char magic[64];
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, "by-openat2", &how, sizeof(how));

	close(fd);
	close(creat("by-creat", 04755));
	fd = open(".", O_TMPFILE | O_RDWR, 04755);
	snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, magic, AT_FDCWD, "by-tmpfile", AT_SYMLINK_FOLLOW) < 0)
		return tried("openat2");
	return tried("openat2 and O_TMPFILE");
}
