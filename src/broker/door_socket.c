/*
 * socket, where the network is closed: an internet datagram socket is one of the private network
 * namespace in which porta answers DNS, and nothing else is there.
 */
#include <errno.h>

#include "broker/door_internal.h"
#include "util/fd.h"
#include "util/mem.h"

void
door_handle_socket(struct door *door, const struct notify_request *request)
{
	struct error err = ERROR_INIT;
	int family = (int)request->args[0];
	int type = (int)request->args[1] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	int flags = (int)request->args[1] & (SOCK_NONBLOCK | SOCK_CLOEXEC);
	int protocol = (int)request->args[2];
	_cleanup_fd_ int fd = -1;

	if ((family != AF_INET && family != AF_INET6) || type != SOCK_DGRAM ||
	    (protocol != 0 && protocol != IPPROTO_UDP) || door->config.resolver == NULL) {
		_cleanup_free_ char *subject = mem_printf(
		    "a socket of family %d, type %d, protocol %d", family, type, protocol);

		violations_record(door->config.violations, VIOLATION_DATAGRAM, subject,
				  "--net outbound", NULL);
		notify_answer_error(&door->notify, request->id, EACCES);
		return;
	}
	fd = resolver_client_socket(door->config.resolver, family, flags & SOCK_NONBLOCK, &err);
	if (fd < 0)
		notify_answer_result(&door->notify, request->id, fd);
	else
		notify_answer_fd(&door->notify, request->id, fd, flags & SOCK_CLOEXEC);
}
