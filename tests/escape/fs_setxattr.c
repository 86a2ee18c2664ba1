/*
 * Extended attributes of a file outside: set, by descriptor, by setxattrat.
 */
#include "attack.h"

#include <sys/xattr.h>

static int
attack(void)
{
	const char *victim = world_path("outside/victim");
	struct {
		uint64_t value;
		uint32_t size, flags;
	} arguments = { (uint64_t)(uintptr_t)"value", 5, 0 };

	if (setxattr(victim, "user.attack", "value", 5, 0) == 0)
		return escaped("set an attribute outside");
	if (fsetxattr(open(victim, O_RDONLY), "user.attack", "value", 5, 0) == 0)
		return escaped("set an attribute outside by a descriptor");
	if (syscall(463 /* setxattrat */, AT_FDCWD, victim, 0, "user.attack", &arguments,
			sizeof(arguments)) == 0)
		return escaped("set an attribute outside by setxattrat");
	return held("setxattr");
}
