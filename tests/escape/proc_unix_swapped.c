/*
 * The path is swapped between an own socket and a symlink to one outside while the broker looks.
 */
#include "attack.h"

#include <pthread.h>

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
	for (int i = 0; i < 2000; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		struct ucred peer;
		socklen_t length = sizeof(peer);

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
			getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid != getpid())
			return escaped("connected to a swapped path");
		close(fd);
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		(void)fcntl(listener, F_SETFL, O_NONBLOCK);
		if (fd >= 0)
			close(fd);
	}
	errno = EACCES;
	return held("connect");
}
