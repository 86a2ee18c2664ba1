/*
 * Processes that are killed in the middle of a trapped call; the numbers of their threads come back.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in other = ipv4("203.0.113.6", 80);

	for (int i = 0; i < 300; i++) {
		pid_t child = fork();
		if (child == 0)
			for (;;)
				connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&other, sizeof(other));
		usleep(500);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return connect_attack4("203.0.113.6", 80, "reached a refused address");
}
