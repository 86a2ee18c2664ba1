/*
 * chmod with garbage above the low bits, which a filter may compare and the kernel ignores.
 *
 * judged: outside
 * arch: x86_64
 */
#include "attack.h"

static int
attack(void)
{
	create_file("program", "x");
	syscall(SYS_chmod, "program", (0xabcUL << 48) | 04755);
	syscall(SYS_fchmodat, AT_FDCWD, "program", (1UL << 60) | 04755);
	syscall(SYS_chmod, "program", 014755UL);
	return tried("chmod");
}
