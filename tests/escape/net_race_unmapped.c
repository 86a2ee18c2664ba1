/*
 * The address lies in memory that a second thread unmaps and maps again meanwhile.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

#include <pthread.h>
#include <time.h>

static struct sockaddr_in *name;

static void *
remap(void *data)
{
	(void)data;
	for (unsigned i = 0;; i++) {
		mmap(name, 4096, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*name = ipv4(i % 2 ? "203.0.113.5" : "203.0.113.6", 80);
		for (volatile int j = 0; j < 500; j++)
			;
		mmap(name, 4096, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	return NULL;
}

static int
attack(void)
{
	pthread_t thread;

	name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_create(&thread, NULL, remap, NULL);
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		struct sockaddr_in peer = { 0 };
		socklen_t length = sizeof(peer);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)name, sizeof(*name)) == 0 &&
			getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
			peer.sin_addr.s_addr == inet_addr("203.0.113.6"))
			return escaped("connected to the changed address");
		close(fd);
	}
	errno = EFAULT;
	return held("connect");
}
