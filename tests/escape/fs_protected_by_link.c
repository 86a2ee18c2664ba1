/*
 * A protected name that did not exist comes by link, symlink, rename of a directory and mkdir.
 *
 * world: git
 * missing: \.mcp\.json \.envrc \.claude(/.*)? \.idea(/.*)?
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	create_file("prepared", "{}");
	mkdir("directory", 0755);
	create_file("directory/settings.json", "{}");
	if (link("prepared", ".mcp.json") == 0 || errno == EEXIST)
		(void)!symlink("prepared", ".envrc");
	rename("directory", ".claude");
	mkdir(".idea", 0755);
	return tried("to make protected files by link and rename");
}
