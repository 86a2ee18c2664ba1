/*
 * As root: a network namespace of its own, in which everything may be configured; and setns back.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return held("unshare");
	return escaped("made a network namespace");
}
