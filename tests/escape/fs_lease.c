/*
 * A lease on a file outside makes every program that opens it there wait.
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open(world_path("outside/directory/inner"), O_RDONLY);

	if (fd < 0)
		return held("open");
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0 || fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return escaped("took a lease on a file outside");
	return held("F_SETLEASE");
}
