/*
 * A file system made by fsopen and fsmount, without mount(2).
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	int fd = (int)syscall(SYS_fsopen, "tmpfs", 0);

	if (fd < 0)
		return held("fsopen");
	if (syscall(SYS_fsconfig, fd, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
		return held("fsconfig");
	if (syscall(SYS_fsmount, fd, 0, 0) < 0)
		return held("fsmount");
	return escaped("made a file system");
}
