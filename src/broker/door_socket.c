/*
 * socket and setsockopt. Where the network is closed, an internet datagram socket is one of the
 * private network namespace in which porta answers DNS, and nothing else is there. Where it is not,
 * a datagram socket is the host's, and never shares its port.
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

/*
 * With SO_REUSEADDR on both, a datagram socket joins another's port and takes what is sent to it;
 * so it stays off, though the program is told that it is on: alone at its port it misses nothing.
 * Two sockets of the sandbox cannot share one either, since a service of the host could then come
 * between them.
 */
static bool
shares_no_port(const struct door *door, const struct door_socket *socket)
{
	return (socket->domain == AF_INET || socket->domain == AF_INET6) &&
	       socket->type != SOCK_STREAM && !door_is_elsewhere(door, socket->fd);
}

static int
reuse_address(struct door *door, const struct notify_request *request,
	      const struct door_socket *socket)
{
	int value;
	int r;

	if ((int)request->args[1] != SOL_SOCKET || (int)request->args[2] != SO_REUSEADDR)
		return -ENOPROTOOPT;
	if ((int)request->args[4] < (int)sizeof(value))
		return -EINVAL;
	r = notify_read_memory(&door->notify, request, request->args[3], &value, sizeof(value));
	if (r < 0 || shares_no_port(door, socket))
		return r;
	if (setsockopt(socket->fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

void
door_handle_setsockopt(struct door *door, const struct notify_request *request)
{
	struct door_socket socket;
	int r = door_take_socket(door, request, &socket);

	if (r == 0) {
		r = reuse_address(door, request, &socket);
		patience_close(socket.fd);
	}
	notify_answer_result(&door->notify, request->id, r);
}
