/*
 * Numbers of the x32 ABI, which a filter for x86-64 may overlook.
 *
 * arch: x86_64
 * may-be-absent: a kernel without the x32 ABI
 */
#include "attack.h"

static int
attack(void)
{
	/* getpid, then openat for writing. */
	if (syscall(0x40000000 + 39) < 0)
		return absent("x32");
	long fd = syscall(0x40000000 + 257, AT_FDCWD, "/proc/self/comm", O_RDONLY);
	return fd >= 0 ? escaped("x32 numbers work") : held("x32");
}
