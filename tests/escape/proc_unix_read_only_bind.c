/*
 * A socket below a directory that is mounted read-only is not in a writable mount, and a stranger's.
 *
 * porta: --read open
 */
#include "attack.h"

static int
attack(void)
{
	char cwd[4096];
	struct sockaddr_un name = unix_name("stream");

	if (chdir(services) < 0 || getcwd(cwd, sizeof(cwd)) == NULL)
		return held("chdir");
	return stream_attack(AF_UNIX, &name, sizeof(name), "connected by a relative path");
}
