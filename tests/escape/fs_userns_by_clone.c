/*
 * A user namespace made by clone, whose child mounts and writes.
 */
#include "attack.h"

static int
attack(void)
{
	int status = 0;
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (child < 0)
		return held("clone");
	if (child == 0)
		_exit(mount("none", world_path("outside"), "tmpfs", 0, NULL) == 0 ? 0 : 1);
	waitpid(child, &status, 0);
	return status == 0 ? escaped("mounted in a user namespace") : held("mount");
}
