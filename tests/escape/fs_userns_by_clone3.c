/*
 * A user namespace made by clone3, whose flags a filter cannot see.
 */
#include "attack.h"

#include <linux/sched.h>

static int
attack(void)
{
	struct clone_args arguments = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };
	int status = 0;
	pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (child < 0)
		return held("clone3");
	if (child == 0)
		_exit(mount("none", world_path("outside"), "tmpfs", 0, NULL) == 0 ? 0 : 1);
	waitpid(child, &status, 0);
	return status == 0 ? escaped("mounted in a user namespace") : held("mount");
}
