/*
 * Protected names that did not exist are made during the run, so that programs outside would find them.
 *
 * world: git
 * missing: \.mcp\.json \.envrc \.vscode(/.*)? \.git/hooks/post-commit \.git/commondir
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	create_file(".mcp.json", "{}");
	create_file(".envrc", "touch /tmp/owned");
	mkdir(".vscode", 0755);
	create_file(".vscode/tasks.json", "{}");
	create_file(".git/hooks/post-commit", "#!/bin/sh\n");
	create_file(".git/commondir", "../outside");
	return tried("to make protected files");
}
