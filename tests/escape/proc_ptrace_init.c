/*
 * The sandbox's own init is not to be traced, stopped or killed from inside.
 *
 * control: none
 */
#include "attack.h"

#include <sys/ptrace.h>

static int
attack(void)
{
	for (int number = 1; number < 65; number++)
		kill(1, number);
	if (ptrace(PTRACE_SEIZE, 1, NULL, NULL) == 0)
		return escaped("traces init");
	int fd = open("/proc/1/mem", O_RDWR);
	if (fd >= 0)
		return escaped("opened the memory of init");
	if (open("/proc/1/environ", O_RDONLY) >= 0 && getuid() != 0)
		return escaped("opened the environment of init");
	return held("ptrace");
}
