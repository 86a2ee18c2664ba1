/*
 * A hook is planted in .git/hooks: new, over a sample, by chmod of a sample.
 *
 * world: git
 * intact: \.git/hooks
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	mkdir(".git/hooks", 0755);
	if (create_file(".git/hooks/post-commit", "#!/bin/sh\ntouch /tmp/owned\n"))
		return tried("planted a hook");
	if (rename(".git/hooks/pre-commit.sample", ".git/hooks/pre-commit") == 0)
		return escaped("enabled a sample");
	return held("open");
}
