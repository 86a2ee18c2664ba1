/*
 * A file that is read-only to the sandbox is linked into the mount and written there.
 */
#include "attack.h"

static int
attack(void)
{
	if (link(world_path("outside/victim"), "linked") < 0)
		return held("link");
	return write_byte("linked") ? escaped("wrote to a file outside by a link") : held("write");
}
