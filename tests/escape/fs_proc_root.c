/*
 * /proc/self/root, /proc/1/root and their cwd as other names of what is outside.
 */
#include "attack.h"

static int
attack(void)
{
	static const char *const roots[] = { "/proc/self/root", "/proc/thread-self/root", "/proc/1/root",
		"/proc/self/cwd/../../../..", "/proc/1/cwd" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (write_byte(format_path(roots[i], world_path("outside/victim"))) ||
			file_has_secret(format_path(roots[i], world_path("home/.ssh/id_ed25519"))))
			return escaped(roots[i]);
	return held("open");
}
