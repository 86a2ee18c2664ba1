/*
 * A key as the standard input gives its data, and no way to its directory or to another mode.
 *
 * judged: outside
 * stdin: home/.ssh/id_ed25519
 * held-by-exit: 125
 */
#include "attack.h"

static int
attack(void)
{
	if (fchmod(0, 0777) == 0)
		return escaped("changed the mode of a key");
	if (write_byte("/proc/self/fd/0"))
		return escaped("wrote to a key");
	return held("fchmod");
}
