/*
 * The path goes through what the program holds itself: a descriptor of the directory or of the socket's file, its
 * working directory, its root.
 */
#include "attack.h"

static int
attack(void)
{
	int directory = open(services, O_PATH | O_DIRECTORY);
	int file = openat(directory, "stream", O_PATH);
	char paths[7][100];

	if (directory < 0 || file < 0)
		return held("open");
	snprintf(paths[0], sizeof(paths[0]), "/proc/self/fd/%d/stream", directory);
	snprintf(paths[1], sizeof(paths[1]), "/dev/fd/%d/stream", directory);
	snprintf(paths[2], sizeof(paths[2]), "/proc/thread-self/fd/%d/./stream", directory);
	snprintf(paths[3], sizeof(paths[3]), "/proc/self/fd/%d", file);
	snprintf(paths[4], sizeof(paths[4]), "/proc/self/root/proc/self/fd/%d/in-tmp/../stream", directory);
	snprintf(paths[5], sizeof(paths[5]), "/proc/self/cwd/stream");
	snprintf(paths[6], sizeof(paths[6]), "/proc/%d/fd/%d/stream", getpid(), directory);
	if (chdir(services) < 0)
		return held("chdir");
	for (size_t i = 0; i < 7; i++) {
		struct sockaddr_un name = unix_name(paths[i]);

		if (stream_attack(AF_UNIX, &name, sizeof(name), paths[i]) == 0)
			return 0;
	}
	struct sockaddr_un name = unix_name(format_path("/proc/self/root", service_path("stream")));

	return stream_attack(AF_UNIX, &name, sizeof(name), "connected through the root");
}
