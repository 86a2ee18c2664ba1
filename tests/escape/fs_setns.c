/*
 * setns into the namespaces of a process outside, by /proc and by a pidfd.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open(proc_path(victim_pid, "ns/mnt"), O_RDONLY);

	if (fd >= 0 && setns(fd, CLONE_NEWNS) == 0)
		return escaped("entered a mount namespace outside");
	fd = (int)syscall(SYS_pidfd_open, victim_pid, 0);
	if (fd >= 0 && setns(fd, CLONE_NEWNS) == 0)
		return escaped("entered a mount namespace outside by a pidfd");
	return held("setns");
}
