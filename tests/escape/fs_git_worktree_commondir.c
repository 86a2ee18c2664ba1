/*
 * In a git worktree: its own commondir and config.worktree, which lead git elsewhere.
 *
 * world: worktree
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (create_file(world_path("outside/main/.git/worktrees/work/commondir"), "/tmp/other\n"))
		return escaped("changed commondir");
	if (create_file(world_path("outside/main/.git/worktrees/work/gitdir"), "/tmp/other\n"))
		return escaped("changed gitdir");
	return held("open");
}
