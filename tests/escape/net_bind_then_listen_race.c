/*
 * One thread changes the address in memory while bind is judged.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

#include <pthread.h>
#include <time.h>

static struct sockaddr_in name;

static void *
flip(void *data)
{
	(void)data;
	for (;;) {
		__atomic_store_n(&name.sin_addr.s_addr, htonl(INADDR_LOOPBACK), __ATOMIC_SEQ_CST);
		__atomic_store_n(&name.sin_addr.s_addr, inet_addr("203.0.113.9"), __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static int
attack(void)
{
	pthread_t thread;

	name = ipv4("127.0.0.1", 0);
	pthread_create(&thread, NULL, flip, NULL);
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		struct sockaddr_in got;
		socklen_t length = sizeof(got);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, 1) == 0) {
			getsockname(fd, (struct sockaddr *)&got, &length);
			if (got.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
				return escaped("listens beyond loopback");
		}
		close(fd);
	}
	errno = EACCES;
	return held("bind");
}
