/*
 * Keys are read by their plain paths, by `..`, by a symlink and through /proc/self/cwd.
 */
#include "attack.h"

static int
attack(void)
{
	if (file_has_secret(world_path("home/.ssh/id_ed25519")) ||
		file_has_secret(world_path("home/.gnupg/secring")))
		return escaped("read a key");
	if (file_has_secret("../work/../home/.ssh/id_ed25519"))
		return escaped("read a key by ..");
	if (symlink("../home/.ssh", "keys") == 0 && file_has_secret("keys/id_ed25519"))
		return escaped("read a key by a symlink");
	if (file_has_secret("/proc/self/cwd/../home/.ssh/id_ed25519"))
		return escaped("read a key by /proc/self/cwd");
	return held("read");
}
