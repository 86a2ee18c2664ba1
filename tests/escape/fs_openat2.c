/*
 * openat2, which older filters do not know, writes to a file outside.
 */
#include "attack.h"

#include <linux/openat2.h>

static int
attack(void)
{
	struct open_how how = { .flags = O_WRONLY | O_APPEND };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, world_path("outside/victim"), &how, sizeof(how));

	if (fd < 0)
		return held("openat2");
	return write(fd, "X", 1) == 1 ? escaped("wrote to a file outside") : held("write");
}
