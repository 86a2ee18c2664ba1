/*
 * System V shared memory, semaphores and message queues of processes outside.
 */
#include "attack.h"

/* The victim's are found by their key. */
static int
attack(void)
{
	int id = shmget(victim_key(), 0, 0);

	if (id >= 0 && shmat(id, NULL, 0) != (void *)-1)
		return escaped("attached shared memory of a process outside");
	if (msgget(victim_key(), 0) >= 0)
		return escaped("opened a message queue of a process outside");
	return held("shmget");
}
