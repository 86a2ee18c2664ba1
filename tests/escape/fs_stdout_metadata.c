/*
 * Mode, times and attributes of a file outside that is the standard output.
 *
 * stdout: outside/victim
 */
#include "attack.h"

#include <sys/xattr.h>

static int
attack(void)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	if (fchmod(1, 0777) == 0 && lseek(1, 0, SEEK_CUR) >= 0)
		return escaped("changed the mode");
	if (futimens(1, times) == 0 && lseek(1, 0, SEEK_CUR) >= 0)
		return escaped("changed the times");
	if (fsetxattr(1, "user.attack", "x", 1, 0) == 0)
		return escaped("set an attribute");
	if (ftruncate(1, 0) == 0)
		return escaped("truncated it");
	return held("fchmod");
}
