/*
 * As root: namespaces of every other kind.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	static const int kinds[] = { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET,
		0x02000000 /* CLONE_NEWCGROUP */ };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (unshare(kinds[i]) == 0)
			return escaped("made a namespace");
	return held("unshare");
}
