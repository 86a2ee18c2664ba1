/*
 * A file of the mount is renamed over one outside, and a directory next to it.
 */
#include "attack.h"

static int
attack(void)
{
	create_file("mine", "text");
	mkdir("mine-directory", 0755);
	if (rename("mine", world_path("outside/victim")) == 0)
		return escaped("replaced a file outside");
	if (rename("mine-directory", world_path("outside/new-directory")) == 0)
		return escaped("moved a directory outside");
	return held("rename");
}
