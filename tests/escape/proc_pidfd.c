/*
 * A pidfd of a process outside: signals, descriptors, madvise.
 */
#include "attack.h"

static int
attack(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, victim_pid, 0);

	if (pidfd < 0)
		return held("pidfd_open");
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0) == 0)
		return escaped("signalled by a pidfd");
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 5, 0);
	if (fd >= 0 && write(fd, "X", 1) == 1)
		return escaped("took a descriptor of a process outside");
	return held("pidfd_getfd");
}
