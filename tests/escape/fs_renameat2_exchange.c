/*
 * A file of the mount is exchanged with one outside.
 */
#include "attack.h"

static int
attack(void)
{
	create_file("mine", "text");
	if (syscall(SYS_renameat2, AT_FDCWD, "mine", AT_FDCWD, world_path("outside/victim"),
			2 /* RENAME_EXCHANGE */) < 0)
		return held("renameat2");
	return escaped("exchanged a file outside with one inside");
}
