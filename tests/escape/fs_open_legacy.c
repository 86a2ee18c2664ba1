/*
 * open(2), the number older than openat, writes to a file outside.
 *
 * arch: x86_64
 */
#include "attack.h"

static int
attack(void)
{
	int fd = (int)syscall(SYS_open, world_path("outside/victim"), O_WRONLY | O_APPEND);

	if (fd < 0)
		return held("open");
	return write(fd, "X", 1) == 1 ? escaped("wrote to a file outside") : held("write");
}
