/*
 * .git is renamed, exchanged, or moved into another directory, and built again with hooks.
 *
 * world: git
 * intact: \.git/config \.git/hooks \.git/HEAD
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (rename(".git", ".git-old") == 0)
		return escaped("renamed .git");
	mkdir("other", 0755);
	if (syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, ".git", 2) == 0)
		return escaped("exchanged .git");
	if (rename(".git/hooks", ".git/old-hooks") == 0)
		return escaped("renamed .git/hooks");
	return held("rename");
}
