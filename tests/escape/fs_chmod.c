/*
 * chmod, fchmod by a read-only descriptor, fchmodat and fchmodat2 on a file outside.
 */
#include "attack.h"

static int
attack(void)
{
	const char *victim = world_path("outside/victim");
	int fd = open(victim, O_RDONLY);

	if (chmod(victim, 0777) == 0)
		return escaped("changed a mode outside");
	if (fchmod(fd, 0777) == 0)
		return escaped("changed a mode outside by a descriptor");
	if (syscall(452 /* fchmodat2 */, fd, "", 0777, AT_EMPTY_PATH) == 0)
		return escaped("changed a mode outside by fchmodat2");
	return held("chmod");
}
