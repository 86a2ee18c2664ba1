/*
 * The directory of keys is moved into the mount and read there.
 *
 * porta: -v $WORLD
 * tier-2: refused
 */
#include "attack.h"

static int
attack(void)
{
	if (rename(world_path("home/.ssh"), world_path("work/keys")) == 0)
		return escaped("moved ~/.ssh");
	if (rename(world_path("home"), world_path("home2")) == 0 &&
		file_has_secret(world_path("home2/.ssh/id_ed25519")))
		return escaped("read a key in the renamed home");
	return held("rename");
}
