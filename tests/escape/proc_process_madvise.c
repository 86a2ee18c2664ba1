/*
 * process_madvise and migrate_pages on a process outside.
 *
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	unsigned long nodes = 1;

	if (syscall(SYS_migrate_pages, victim_pid, 64, &nodes, &nodes) >= 0)
		return escaped("moved the pages of a process outside");
	int pidfd = (int)syscall(SYS_pidfd_open, victim_pid, 0);
	if (pidfd < 0)
		return held("pidfd_open");
	return escaped("opened a process outside");
}
