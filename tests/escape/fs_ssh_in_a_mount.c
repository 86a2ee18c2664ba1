/*
 * ~/.ssh is read, written, unmounted and replaced where the whole home is a writable mount.
 *
 * porta: -v $WORLD/home
 * tier-2: refused
 */
#include "attack.h"

static int
attack(void)
{
	if (file_has_secret(world_path("home/.ssh/id_ed25519")))
		return escaped("read a key");
	if (umount2(world_path("home/.ssh"), MNT_DETACH) == 0 &&
		file_has_secret(world_path("home/.ssh/id_ed25519")))
		return escaped("read a key below its mask");
	if (create_file(world_path("home/.ssh/authorized_keys"), "key"))
		return escaped("wrote a key");
	if (rename(world_path("home/.ssh"), world_path("home/old")) == 0)
		return escaped("moved ~/.ssh");
	return held("read");
}
