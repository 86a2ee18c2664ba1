/*
 * A protected name is made, removed and made again in a loop, to be there when nobody looks.
 *
 * world: git
 * missing: \.envrc \.mcp\.json
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	for (int i = 0; i < 2000; i++) {
		create_file(".envrc", "touch /tmp/owned");
		create_file("temporary", "{}");
		rename("temporary", ".mcp.json");
		if (i < 1999) {
			unlink(".envrc");
			unlink(".mcp.json");
		}
	}
	return tried("to make protected files in a loop");
}
