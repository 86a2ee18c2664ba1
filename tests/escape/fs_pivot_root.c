/*
 * As root: a tmpfs becomes the root, the old one is put below it.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	int status = 0;

	if (unshare(CLONE_NEWNS) < 0 && errno != EPERM)
		return held("unshare");
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir("new-root", 0755);
	mount("new-root", "new-root", NULL, MS_BIND, NULL);
	mkdir("new-root/old", 0755);
	status = (int)syscall(SYS_pivot_root, "new-root", "new-root/old");
	return status == 0 ? escaped("changed the root") : held("pivot_root");
}
