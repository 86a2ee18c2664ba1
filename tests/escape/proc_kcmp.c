/*
 * kcmp tells whether a process outside shares something: a way to learn kernel pointers.
 */
#include "attack.h"

static int
attack(void)
{
	if (syscall(SYS_kcmp, getpid(), victim_pid, 1 /* KCMP_VM */, 0, 0) < 0)
		return held("kcmp");
	return escaped("compared with a process outside");
}
