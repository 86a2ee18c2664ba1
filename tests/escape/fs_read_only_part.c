/*
 * A read-only directory inside a writable mount is written to, or replaced with its parent.
 *
 * porta: -v $WORK/part/deep:ro
 * world: read-only-part
 * intact: part/deep
 * tier-2: refused
 */
#include "attack.h"

static int
attack(void)
{
	if (write_byte("part/deep/file"))
		return escaped("wrote to a read-only file");
	if (unlink("part/deep/file") == 0 || rmdir("part/deep") == 0)
		return escaped("removed in a read-only directory");
	if (rename("part", "moved") == 0)
		return escaped("moved the parent of a read-only directory");
	return held("rename");
}
