/*
 * A file that is read-only to the sandbox is moved into the mount, where it could be written.
 */
#include "attack.h"

static int
attack(void)
{
	if (rename(world_path("outside/victim"), "taken") < 0)
		return held("rename");
	return escaped("moved a file from outside into the mount");
}
