/*
 * setpriority and ioprio_set for all processes of the user: those outside must keep theirs.
 *
 * judged: outside
 * control: none
 */
#include "attack.h"

#include <sys/resource.h>

/* Whether it worked shows in the harness: the victim's priority is looked at. */
static int
attack(void)
{
	setpriority(PRIO_USER, 0, 19);
	syscall(SYS_ioprio_set, 3, getuid(), (3 << 13) | 7);
	return tried("setpriority");
}
