/*
 * A socket is fetched from a child by pidfd_getfd after the child connected nowhere: the door is met again.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in other = ipv4("203.0.113.6", 80);
	pid_t child = fork();

	if (child == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		dup2(fd, 40);
		pause();
	}
	usleep(50000);
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 40, 0);
	int saved = errno;
	kill(child, SIGKILL);
	errno = saved;
	if (fd < 0)
		return held("pidfd_getfd");
	if (connect(fd, (struct sockaddr *)&other, sizeof(other)) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected a fetched socket") : held("read");
}
