/*
 * A protected name is made by a grandchild at the very end of the run.
 *
 * world: git
 * missing: \.envrc
 * tier-2: not-claimed
 */
#include "attack.h"

static int
attack(void)
{
	if (fork() == 0) {
		setsid();
		for (int i = 0; i < 3000; i++)
			if (!create_file(".envrc", "touch /tmp/owned"))
				usleep(100);
		_exit(0);
	}
	usleep(20000);
	return tried("to make a protected file at the end");
}
