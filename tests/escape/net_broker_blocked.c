/*
 * A blocking socket is made non-blocking for the moment in which the broker connects it; another process that shares it
 * makes it blocking again in between. A broker that waits for a full backlog guards nothing meanwhile.
 *
 * control: none
 */
#include "stalls.h"

static void
hold(void)
{
	char path[32];
	struct sockaddr_un name;
	int first, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(path, sizeof(path), "full-%d", getpid());
	name = unix_name(path);
	if (own_listener(path, 0) < 0)
		return;
	first = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(first, (struct sockaddr *)&name, sizeof(name));
	signal(SIGUSR1, SIG_DFL);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			fcntl(fd, F_SETFL, 0);
	}
	for (;;) {
		pid_t caller = fork();

		if (caller == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			connect(fd, (struct sockaddr *)&name, sizeof(name));
			_exit(0);
		}
		usleep(1000);
		kill(caller, SIGKILL);
		waitpid(caller, NULL, 0);
	}
}

static int
attack(void)
{
	return stall_attack(hold, "the broker stands still");
}
