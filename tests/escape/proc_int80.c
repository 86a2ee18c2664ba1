/*
 * int 0x80 reaches the 32-bit table from a 64-bit program.
 *
 * arch: x86_64
 * may-be-absent: a kernel without 32-bit calls
 */
#include "attack.h"

static int
attack(void)
{
	long result;

	/* getpid of the 32-bit table. */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	if (result == -ENOSYS) {
		errno = ENOSYS;
		return absent("int 0x80");
	}
	errno = (int)-result;
	return result == getpid() ? escaped("int 0x80 works") : held("int 0x80");
}
