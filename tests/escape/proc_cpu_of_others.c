/*
 * As root: the real-time scheduler starves the machine.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	struct sched_param parameters = { .sched_priority = 50 };

	if (sched_setscheduler(0, SCHED_FIFO, &parameters) < 0)
		return held("sched_setscheduler");
	return escaped("runs before everything else");
}
