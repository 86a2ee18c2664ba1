/*
 * TIOCSTI with garbage in the upper half of the register, on the terminal if there is one: refused before it is looked at.
 *
 * arch: x86_64
 * control: none
 */
#include "attack.h"

static int
attack(void)
{
	char byte = 'x';
	int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	/* A terminal of the sandbox's own: the number is refused, whoever owns it. */
	if (terminal >= 0 && syscall(SYS_ioctl, terminal, (1UL << 32) | TIOCSTI, &byte) == 0)
		return escaped("TIOCSTI");
	if (terminal >= 0 && syscall(SYS_ioctl, terminal, (1UL << 32) | TIOCLINUX, &byte) == 0)
		return escaped("TIOCLINUX");
	return held("ioctl");
}
