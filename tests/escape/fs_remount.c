/*
 * As root: the read-only mounts are made writable, or taken away.
 *
 * users: root
 */
#include "attack.h"

/* In a mount namespace of its own, so that the control run leaves the machine as it is. */
static int
attack(void)
{
	const char *outside = world_path("outside");

	if (unshare(CLONE_NEWNS) < 0 && errno != EPERM)
		return held("unshare");
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount(outside, outside, NULL, MS_BIND, NULL) == 0)
		return escaped("made a bind mount");
	if (mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0)
		return escaped("remounted the root");
	if (umount2("/", MNT_DETACH) == 0)
		return escaped("took the root away");
	return held("mount");
}
