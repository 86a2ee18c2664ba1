/*
 * A submodule's own configuration and hooks, below .git/modules.
 *
 * world: submodule
 * intact: \.git/modules/module/config
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (write_byte(".git/modules/module/config"))
		return escaped("changed a submodule's configuration");
	if (rename(".git/modules/module", ".git/modules/other") == 0)
		return escaped("renamed a submodule's git directory");
	if (rename(".git/modules", ".git/old") == 0)
		return escaped("renamed .git/modules");
	return held("open");
}
