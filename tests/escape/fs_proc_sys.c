/*
 * /proc/sys, /sys and /proc/sysrq-trigger, as root too. (The value that is there is written again.)
 *
 * users: root
 */
#include "attack.h"

static bool
write_again(const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	fd = open(path, O_WRONLY);
	return fd >= 0 && n > 0 && write(fd, text, (size_t)n) == n;
}

static int
attack(void)
{
	static const char *const files[] = { "/proc/sys/vm/swappiness", "/proc/sys/kernel/core_pattern",
		"/proc/sys/net/ipv4/ip_default_ttl", "/sys/kernel/mm/lru_gen/min_ttl_ms",
		"/sys/block/vda/queue/read_ahead_kb" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (write_again(files[i]))
			return escaped(files[i]);
	if (open("/proc/sysrq-trigger", O_WRONLY) >= 0)
		return escaped("/proc/sysrq-trigger");
	return held("open");
}
