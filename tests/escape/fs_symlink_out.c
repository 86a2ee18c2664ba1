/*
 * A symlink in the mount leads to a file outside, which is written through it.
 */
#include "attack.h"

static int
attack(void)
{
	if (symlink(world_path("outside/victim"), "way-out") < 0)
		return held("symlink");
	return write_byte("way-out") ? escaped("wrote through a symlink") : held("open");
}
