/*
 * The last of a socket with SO_LINGER and unsent data is closed by the broker, whose duplicate outlives the
 * program's own.
 *
 * control: none
 */
#include "stalls.h"

#include <pthread.h>

static volatile int shown_fd = -1;

static void *
close_it(void *data)
{
	for (;;) {
		int fd = shown_fd;

		if (fd >= 0) {
			shown_fd = -1;
			usleep((useconds_t)(rand() % 400));
			close(fd);
		}
	}
	return data;
}

static void
hold(void)
{
	struct sockaddr_in name = ipv4("127.0.0.1", 0);
	struct linger linger = { .l_onoff = 1, .l_linger = 1000 };
	socklen_t length = sizeof(name);
	static char data[1 << 20];
	pthread_t thread;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(listener, 1024) < 0)
		return;
	getsockname(listener, (struct sockaddr *)&name, &length);
	pthread_create(&thread, NULL, close_it, NULL);
	for (int i = 0; i < 900; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), peer;

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
			continue;
		peer = accept(listener, NULL, NULL);
		(void)peer; /* never read */
		send(fd, data, sizeof(data), MSG_DONTWAIT);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		shown_fd = fd;
		/* A child of the broker's looks at it: the longest of the trapped calls. */
		fchmod(fd, 02755);
		connect(fd, (struct sockaddr *)&name, sizeof(name));
	}
	pause();
}

static int
attack(void)
{
	return stall_attack(hold, "the broker stands still");
}
