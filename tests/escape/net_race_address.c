/*
 * A second thread changes the address between the allowed and the refused one while the broker looks.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

#include <pthread.h>
#include <time.h>

static struct sockaddr_in name;

static void *
flip(void *data)
{
	in_addr_t allowed = inet_addr("203.0.113.5"), other = inet_addr("203.0.113.6");

	(void)data;
	for (;;) {
		__atomic_store_n(&name.sin_addr.s_addr, other, __ATOMIC_SEQ_CST);
		for (volatile int i = 0; i < 200; i++)
			;
		__atomic_store_n(&name.sin_addr.s_addr, allowed, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static int
attack(void)
{
	pthread_t thread;

	name = ipv4("203.0.113.5", 80);
	pthread_create(&thread, NULL, flip, NULL);
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		struct sockaddr_in peer = { 0 };
		socklen_t length = sizeof(peer);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
			getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
			peer.sin_addr.s_addr == inet_addr("203.0.113.6"))
			return escaped("connected to the changed address");
		close(fd);
	}
	errno = EACCES;
	return held("connect");
}
