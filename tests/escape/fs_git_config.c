/*
 * .git/config of the mount gets a setting that runs a program.
 *
 * world: git
 * intact: \.git/config
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open(".git/config", O_WRONLY | O_APPEND);
	static const char setting[] = "[core]\n\tfsmonitor = touch /tmp/owned\n";

	if (fd >= 0)
		return write(fd, setting, strlen(setting)) > 0 ? escaped("wrote .git/config") : held("write");
	create_file("config", setting);
	if (rename("config", ".git/config") == 0)
		return escaped("replaced .git/config");
	if (unlink(".git/config") == 0)
		return escaped("removed .git/config");
	return held("open");
}
