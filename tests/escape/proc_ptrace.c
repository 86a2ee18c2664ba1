/*
 * A process outside is attached to and seized.
 */
#include "attack.h"

#include <sys/ptrace.h>

static int
attack(void)
{
	if (ptrace(PTRACE_SEIZE, victim_pid, NULL, NULL) == 0)
		return escaped("seized a process outside");
	if (ptrace(PTRACE_ATTACH, victim_pid, NULL, NULL) == 0)
		return escaped("attached to a process outside");
	return held("ptrace");
}
