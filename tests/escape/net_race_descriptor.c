/*
 * A second thread swaps the descriptor by dup2 while the broker looks: a connected socket must not move, and an
 * unbound one must not be connected elsewhere.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

#include <pthread.h>
#include <time.h>

static int fd, spare[2];

static void *
swap(void *data)
{
	(void)data;
	for (unsigned i = 0;; i++)
		dup2(spare[i % 2], fd);
	return NULL;
}

static int
attack(void)
{
	struct sockaddr_in other = ipv4("203.0.113.6", 80);
	pthread_t thread;

	spare[0] = socket(AF_INET, SOCK_STREAM, 0);
	spare[1] = socket(AF_INET, SOCK_STREAM, 0);
	fd = dup(spare[0]);
	pthread_create(&thread, NULL, swap, NULL);
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		connect(fd, (struct sockaddr *)&other, sizeof(other));
		for (int j = 0; j < 2; j++) {
			struct sockaddr_in peer;
			socklen_t length = sizeof(peer);
			if (getpeername(spare[j], (struct sockaddr *)&peer, &length) == 0)
				return escaped("a swapped descriptor was connected");
		}
	}
	errno = EACCES;
	return held("connect");
}
