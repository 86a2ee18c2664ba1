/*
 * POSIX shared memory and message queues of processes outside.
 */
#include "attack.h"

static int
attack(void)
{
	if (mq_open(victim_ipc_name(), O_RDWR) != (mqd_t)-1)
		return escaped("opened a message queue of a process outside");
	int fd = shm_open(victim_ipc_name(), O_RDWR, 0);
	if (fd < 0)
		return held("shm_open");
	return gives_secret(fd) ? escaped("read shared memory of a process outside") : held("read");
}
