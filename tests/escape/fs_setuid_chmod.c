/*
 * A setuid program made inside, by each call that sets a mode.
 *
 * judged: outside
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open("by-open", O_WRONLY | O_CREAT, 04755);

	close(fd);
	create_file("by-chmod", "x");
	chmod("by-chmod", 04755);
	create_file("by-fchmod", "x");
	fd = open("by-fchmod", O_RDONLY);
	fchmod(fd, 04755);
	create_file("by-fchmodat", "x");
	syscall(SYS_fchmodat, AT_FDCWD, "by-fchmodat", 06755);
	create_file("by-fchmodat2", "x");
	syscall(452, AT_FDCWD, "by-fchmodat2", 04755, 0);
	create_file("setgid", "x");
	chmod("setgid", 02755);
	mknod("by-mknod", S_IFREG | 04755, 0);
	return tried("to make a setuid program");
}
