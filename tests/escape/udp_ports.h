/* Datagram sockets that share a port. */
#ifndef UDP_PORTS_H
#define UDP_PORTS_H

#include "attack.h"

/* A datagram socket with SO_REUSEADDR; `high`: asked for with the upper halves of the arguments set. */
UNUSED static int
share(int family, bool high)
{
	int one = 1, fd = socket(family, SOCK_DGRAM, 0);
	unsigned long more = high ? 1UL << 32 : 0;

	syscall(SYS_setsockopt, more | (unsigned)fd, more | SOL_SOCKET, more | SO_REUSEADDR, &one, more | sizeof(one));
	return fd;
}

/* Whether, bound to `name`, it receives what is sent to the service; closes it. */
UNUSED static bool
takes_datagrams(int fd, const void *name, socklen_t name_length, const void *service, socklen_t service_length)
{
	const struct sockaddr *to = service;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int sender = socket(to->sa_family, SOCK_DGRAM, 0);
	bool took = false;

	if (bind(fd, name, name_length) == 0 && sendto(sender, "x", 1, 0, to, service_length) == 1)
		took = poll(&poll_fd, 1, 300) == 1;
	int saved = errno;
	close(sender);
	close(fd);
	errno = saved;
	return took;
}

#endif
