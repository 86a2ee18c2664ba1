/*
 * truncate, ftruncate by a read-only descriptor, O_TRUNC and fallocate on a file outside.
 */
#include "attack.h"

static int
attack(void)
{
	if (truncate(world_path("outside/victim"), 1) == 0)
		return escaped("truncated a file outside");
	if (open(world_path("outside/victim"), O_RDONLY | O_TRUNC) >= 0)
		return escaped("truncated a file outside with O_RDONLY|O_TRUNC");
	return held("truncate");
}
