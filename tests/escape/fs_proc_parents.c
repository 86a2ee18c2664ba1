/*
 * The magic links of every process that /proc shows, porta's own among them.
 */
#include "attack.h"

static int
attack(void)
{
	static const char *const links[] = { "root", "cwd", "fd/3", "fd/4", "fd/5", "fd/6", "fd/7", "fd/8",
		"fd/9", "fd/10" };

	for (pid_t pid = 1; pid < 70000; pid++) {
		if (access(proc_path(pid, "stat"), F_OK) < 0)
			continue;
		for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
			char link[256];
			snprintf(link, sizeof(link), "/proc/%d/%s", (int)pid, links[i]);
			if (write_byte(format_path(link, world_path("outside/victim"))) ||
				write_byte(format_path(link, "victim")) ||
				file_has_secret(format_path(link, world_path("home/.ssh/id_ed25519"))))
				return escaped(link);
		}
	}
	return held("open");
}
