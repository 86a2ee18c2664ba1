/*
 * The directory that core.hooksPath names inside the tree, and the file that include.path names.
 *
 * world: hooks-path
 * intact: tools extra\.config
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (write_byte("tools/pre-commit"))
		return escaped("changed a hook of core.hooksPath");
	if (create_file("tools/post-commit", "#!/bin/sh\n"))
		return escaped("planted a hook in core.hooksPath");
	if (rename("tools", "old-tools") == 0)
		return escaped("renamed core.hooksPath");
	if (write_byte("extra.config"))
		return escaped("changed an included configuration");
	return held("open");
}
