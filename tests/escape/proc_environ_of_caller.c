/*
 * The caller's environment, secrets and all, by /proc/1 and every other process that is seen.
 */
#include "attack.h"

#include <dirent.h>

static bool
holds(const char *path, const char *word)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(text, (size_t)n, word, strlen(word)) != NULL;
}

static int
attack(void)
{
	DIR *directory = opendir("/proc");

	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		pid_t pid = atoi(entry->d_name);
		if (pid > 0 && holds(proc_path(pid, "environ"), "CALLERS_TOKEN"))
			return escaped("read the caller's environment");
	}
	return held("open");
}
