/* Whether the broker still answers while something tries to keep it. */
#ifndef STALLS_H
#define STALLS_H

#include "attack.h"

#include <time.h>

/* More than any answer takes, on a machine that is busy with other things too. */
#define STALLED_AFTER_S 3.0

UNUSED static double
now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A unix listener of the program's own; `backlog` 0: one connection waits, and no more. */
UNUSED static int
own_listener(const char *path, int backlog)
{
	struct sockaddr_un name = unix_name(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, backlog) < 0)
		return -1;
	return fd;
}

/* For `seconds`, calls that the broker answers, of a process of their own: how long the longest took. */
UNUSED static double
longest_answer(double seconds)
{
	double longest = 0, end = now_seconds() + seconds;
	struct sockaddr_un name = unix_name("watched");
	int listener = own_listener("watched", 64);

	while (now_seconds() < end) {
		double began = now_seconds();
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
			close(accept(listener, NULL, NULL));
		close(fd);
		if (now_seconds() - began > longest)
			longest = now_seconds() - began;
		usleep(2000);
	}
	close(listener);
	return longest;
}

/* `hold` runs in processes of its own, killed at the end. */
UNUSED static int
stall_attack(void (*hold)(void), const char *what)
{
	pid_t holders[4];
	double longest;

	signal(SIGALRM, SIG_DFL);
	for (int i = 0; i < 4; i++) {
		holders[i] = fork();
		if (holders[i] == 0) {
			hold();
			_exit(0);
		}
	}
	alarm(30);
	longest = longest_answer(4);
	for (int i = 0; i < 4; i++) {
		kill(holders[i], SIGKILL);
		waitpid(holders[i], NULL, 0);
	}
	dprintf(2, "longest answer: %.3f s\n", longest);
	errno = 0;
	return longest > STALLED_AFTER_S ? escaped(what) : held("connect");
}

#endif
