/*
 * No environment variable is needed for the walls to stand: all are taken away first.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	char *const argv[] = { "again", (char *)world, (char *)services, "1", NULL };
	char *const environment[] = { NULL };

	if (environ[0] != NULL) {
		execve("/proc/self/exe", argv, environment);
		return held("execve");
	}
	return connect_attack4("203.0.113.6", 80, "reached a refused address without environment");
}
