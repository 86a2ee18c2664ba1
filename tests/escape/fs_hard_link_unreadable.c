/*
 * A key is linked into the mount and read there.
 */
#include "attack.h"

static int
attack(void)
{
	if (link(world_path("home/.ssh/id_ed25519"), "linked") < 0)
		return held("link");
	return file_has_secret("linked") ? escaped("read a key by a link") : held("read");
}
