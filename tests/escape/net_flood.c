/*
 * Thousands of requests at once from many threads, then the refused address.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

#include <pthread.h>

static void *
flood(void *data)
{
	struct sockaddr_in other = ipv4("203.0.113.6", 81), nowhere = ipv4("203.0.113.5", 80);

	for (int i = 0; i < 300; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd, (struct sockaddr *)&other, sizeof(other));
		connect(fd, (struct sockaddr *)&nowhere, sizeof(nowhere));
		close(fd);
	}
	return data;
}

static int
attack(void)
{
	pthread_t threads[32];

	for (int i = 0; i < 32; i++)
		pthread_create(&threads[i], NULL, flood, NULL);
	int result = connect_attack4("203.0.113.6", 80, "reached a refused address in a flood");
	for (int i = 0; i < 32; i++)
		pthread_join(threads[i], NULL);
	return result == 0 ? 0 : connect_attack4("203.0.113.6", 80, "reached a refused address after a flood");
}
