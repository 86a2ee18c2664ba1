/*
 * /proc/PID/mem of a process outside: read and written.
 */
#include "attack.h"

static int
attack(void)
{
	char text[sizeof(victim_secret)] = "";
	int fd = open(proc_path(victim_pid, "mem"), O_RDWR);

	if (fd < 0)
		return held("open");
	if (pread(fd, text, sizeof(text), (off_t)(uintptr_t)victim_secret) < 0)
		return held("pread");
	return strcmp(text, SECRET) == 0 ? escaped("read the memory of a process outside") : held("compare");
}
