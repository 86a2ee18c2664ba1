/*
 * A connect from a thread whose leader has exited, and from a vfork child.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

#include <pthread.h>

static void *
late(void *data)
{
	(void)data;
	usleep(20000);
	_exit(connect_attack4("203.0.113.6", 80, "reached a refused address by an orphaned thread"));
}

static int
attack(void)
{
	pthread_t thread;
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		pthread_create(&thread, NULL, late, NULL);
		syscall(SYS_exit, 0);
	}
	waitpid(child, &status, 0);
	errno = EACCES;
	return WEXITSTATUS(status) == 0 ? escaped("an orphaned thread connected") : held("connect");
}
