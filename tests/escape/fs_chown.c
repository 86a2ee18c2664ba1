/*
 * chown to itself, which sets the change time and takes bits away, on a file outside.
 */
#include "attack.h"

static int
attack(void)
{
	const char *victim = world_path("outside/victim");
	int fd = open(victim, O_RDONLY);

	if (chown(victim, getuid(), getgid()) == 0)
		return escaped("changed an owner outside");
	if (fchown(fd, getuid(), getgid()) == 0 || fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH) == 0)
		return escaped("changed an owner outside by a descriptor");
	return held("chown");
}
