/*
 * In a git worktree: the common directory's configuration and hooks, and the `.git` file itself.
 *
 * world: worktree
 * intact: \.git
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (write_byte(world_path("outside/main/.git/config")))
		return escaped("changed the common configuration");
	if (create_file(world_path("outside/main/.git/hooks/post-commit"), "#!/bin/sh\n"))
		return escaped("planted a hook in the common directory");
	create_file("other", "gitdir: /tmp/other\n");
	if (rename("other", ".git") == 0)
		return escaped("replaced the .git file");
	return held("open");
}
