/*
 * More connects that wait than the broker has places for, to full backlogs of unix and TCP listeners, and refused
 * ones among them. The others go on.
 *
 * control: none
 */
#include "stalls.h"

#include <pthread.h>

#define THREADS 400

static struct sockaddr_un full_unix;
static struct sockaddr_in full_tcp;

static void *
wait_for_room(void *data)
{
	struct sockaddr_un elsewhere = unix_name(service_path("stream"));
	bool is_unix = (intptr_t)data % 2;

	for (;;) {
		int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
		int other = socket(AF_UNIX, SOCK_STREAM, 0);

		connect(other, (struct sockaddr *)&elsewhere, sizeof(elsewhere));
		close(other);
		if (is_unix)
			connect(fd, (struct sockaddr *)&full_unix, sizeof(full_unix));
		else
			connect(fd, (struct sockaddr *)&full_tcp, sizeof(full_tcp));
		close(fd);
		usleep(20000);
	}
	return NULL;
}

static void
hold(void)
{
	char path[32];
	socklen_t length = sizeof(full_tcp);
	pthread_attr_t attributes;
	pthread_t thread;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	snprintf(path, sizeof(path), "full-%d", getpid());
	full_unix = unix_name(path);
	full_tcp = ipv4("127.0.0.1", 0);
	if (own_listener(path, 0) < 0 || bind(listener, (struct sockaddr *)&full_tcp, length) < 0 || listen(listener, 0) < 0)
		return;
	getsockname(listener, (struct sockaddr *)&full_tcp, &length);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread, &attributes, wait_for_room, (void *)i);
	pause();
}

static int
attack(void)
{
	return stall_attack(hold, "others wait with those that flood");
}
