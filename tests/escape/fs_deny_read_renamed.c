/*
 * A file that may not be read is moved with its parent directory, then read.
 *
 * porta: --deny-read $WORK/part/deep/file
 * world: read-only-part
 * tier-2: refused
 */
#include "attack.h"

static int
attack(void)
{
	if (file_has_secret("part/deep/file"))
		return escaped("read a denied file");
	if (link("part/deep/file", "linked") == 0 && file_has_secret("linked"))
		return escaped("read a denied file by a link");
	if (rename("part", "moved") == 0 && file_has_secret("moved/deep/file"))
		return escaped("read a denied file in its renamed parent");
	return held("read");
}
