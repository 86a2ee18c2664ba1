/*
 * unlink, rmdir and rename away of what is outside.
 */
#include "attack.h"

static int
attack(void)
{
	if (unlink(world_path("outside/victim")) == 0)
		return escaped("removed a file outside");
	if (rmdir(world_path("outside/directory")) == 0)
		return escaped("removed a directory outside");
	if (rename(world_path("outside/victim"), world_path("outside/other")) == 0)
		return escaped("renamed a file outside");
	return held("unlink");
}
