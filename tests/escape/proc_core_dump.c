/*
 * A core dump is written outside by the kernel where the pattern says so: the working directory is the mount.
 *
 * judged: outside
 * control: none
 */
#include "attack.h"

#include <sys/resource.h>

static int
attack(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &limit);
	if (fork() == 0) {
		(void)!chdir(world_path("outside"));
		abort();
	}
	wait(NULL);
	return tried("a core dump in a chosen directory");
}
