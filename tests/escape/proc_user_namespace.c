/*
 * A new user namespace, which gives every capability to try on the kernel.
 */
#include "attack.h"

static int
attack(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return held("unshare");
	return escaped("made a user namespace");
}
