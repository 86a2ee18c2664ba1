/*
 * The standard output is reopened through /proc/self/fd, for reading and without O_APPEND.
 *
 * stdout: outside/private
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open("/proc/self/fd/1", O_RDWR);

	if (fd < 0)
		return held("open");
	return gives_secret(fd) ? escaped("reopened the standard output") : held("read");
}
