/*
 * .git/config.worktree, which git reads where extensions.worktreeConfig is on.
 *
 * world: git
 * missing: \.git/config\.worktree
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	create_file(".git/config.worktree", "[core]\n\tfsmonitor = touch /tmp/owned\n");
	return tried("to make .git/config.worktree");
}
