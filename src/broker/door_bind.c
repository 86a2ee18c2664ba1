/*
 * bind and listen. Where listening is limited to this machine, a socket that is bound to
 * the wildcard address stays so and is tied to the loopback device when it begins to listen:
 * then both 127.0.0.1 and ::1 reach it, a program that asks for its address sees what it
 * bound, and a client that binds before it connects is not hindered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "broker/caller_link.h"
#include "broker/door_internal.h"
#include "policy/net_decide.h"
#include "util/fd.h"
#include "util/mem.h"

/* The loopback device has this index in every network namespace. */
#define LOOPBACK_INTERFACE_INDEX 1

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static char *
bind_rule_text(const struct net_address *address, uint16_t port)
{
	static const struct net_address wildcard_v4 = { 0 };
	static const struct net_address wildcard_v6 = { .is_v6 = true };
	_cleanup_free_ char *host = NULL;

	if (net_address_equal(address, &wildcard_v4) || net_address_equal(address, &wildcard_v6))
		host = mem_strdup("*:");
	else
		host = door_endpoint_text(address, port);
	*(strrchr(host, ':') + 1) = '\0';
	return port != 0 ? mem_printf("%s%u", host, port) : mem_printf("%s*", host);
}

static void
record_refused(struct door *door, const struct net_address *address, uint16_t port)
{
	_cleanup_free_ char *subject = door_endpoint_text(address, port);
	_cleanup_free_ char *rule = bind_rule_text(address, port);
	_cleanup_free_ char *remedy = door_remedy("--allow-bind", rule);
	enum net_mode mode = door->config.policy->net_mode;
	_cleanup_free_ char *note = NULL;

	if (mode != NET_MODE_RULES && mode != NET_MODE_OUTBOUND)
		note = mem_printf("not with --net %s", net_mode_name(mode));
	violations_record(door->config.violations, VIOLATION_LISTEN, subject,
			  note == NULL ? remedy : "", note);
}

bool
door_is_tied_to_loopback(int socket_fd)
{
	int index = 0;
	socklen_t n = sizeof(index);

	return getsockopt(socket_fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &n) == 0 &&
	       index == LOOPBACK_INTERFACE_INDEX;
}

/*
 * Ties the socket to the loopback device. Undoing it takes CAP_NET_RAW over the network namespace,
 * or for a datagram socket a connect to AF_UNSPEC, which is refused.
 */
static int
tie_to_loopback(int socket_fd)
{
	int index = LOOPBACK_INTERFACE_INDEX;

	if (door_is_tied_to_loopback(socket_fd))
		return 0;
	if (setsockopt(socket_fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) < 0)
		return -EACCES;
	return 0;
}

/*
 * Not for a port that the kernel chose: nobody outside was to find it. Nor where the person asked
 * for no other.
 */
static void
remark_limited(struct door *door, const struct net_address *address, uint16_t port)
{
	_cleanup_free_ char *rule = bind_rule_text(address, port);
	_cleanup_free_ char *remedy = door_remedy("--allow-bind", rule);
	_cleanup_free_ char *text = NULL;

	if (port == 0 || door->config.policy->net_mode == NET_MODE_LOOPBACK_ONLY)
		return;
	text =
	    mem_printf("port %u can be reached from this machine only: %s opens it", port, remedy);
	violations_remark(door->config.violations, text);
}

static int
bind_internet(struct door *door, struct door_socket *socket, union door_address *address,
	      socklen_t bytes)
{
	struct net_address judged;
	enum net_verdict verdict;
	uint16_t port;
	int r;

	/* An old custom: AF_UNSPEC with the wildcard address means AF_INET. */
	if (socket->domain == AF_INET && address->any.sa_family == AF_UNSPEC &&
	    bytes >= sizeof(address->v4) && address->v4.sin_addr.s_addr == htonl(INADDR_ANY))
		address->any.sa_family = AF_INET;
	r = door_normalize_internet(address, &bytes, &judged, &port);
	if (r < 0)
		return r;
	verdict = net_decide_bind(door->config.policy, &judged, port);
	if (verdict == NET_VERDICT_REFUSE && !door_is_elsewhere(door, socket->fd)) {
		record_refused(door, &judged, port);
		return -EACCES;
	}
	/* What a datagram socket receives on a port of its choice needs no listen. */
	if (verdict == NET_VERDICT_MAKE_LOOPBACK && socket->type != SOCK_STREAM && port != 0 &&
	    !door_is_elsewhere(door, socket->fd)) {
		r = tie_to_loopback(socket->fd);
		if (r < 0)
			return r;
	}
	if (bind(socket->fd, &address->any, bytes) < 0)
		return -errno;
	if (verdict == NET_VERDICT_MAKE_LOOPBACK)
		remark_limited(door, &judged, port);
	return 0;
}

/*
 * A path is bound by a child that sees it as the caller does, one through /proc/self/fd from that
 * directory (getsockname then tells what is behind it alone); an abstract name belongs to the
 * socket's own namespace.
 */
static bool
is_unix_path(const struct door_socket *socket, const union door_address *address, socklen_t bytes)
{
	return socket->domain == AF_UNIX && address->any.sa_family == AF_UNIX &&
	       bytes > offsetof(struct sockaddr_un, sun_path) && bytes <= sizeof(address->un) &&
	       address->un.sun_path[0] != '\0';
}

static void
bind_unix_path(struct door *door, const struct notify_request *request, struct door_socket *socket,
	       const union door_address *address, socklen_t bytes)
{
	struct as_caller_job job = door_new_job(door, request, AS_CALLER_BIND);
	char path[sizeof(address->un.sun_path) + 1] = "";
	struct caller_place place;
	size_t n;
	int r;

	memcpy(path, address->un.sun_path, bytes - offsetof(struct sockaddr_un, sun_path));
	r = caller_link_resolve(&door->notify, request, path, &place);
	/* A descriptor's own name is taken, by it. */
	if (r == 0 && place.path[0] == '\0')
		r = -EADDRINUSE;
	if (r < 0) {
		patience_close(place.fd);
		patience_close(TAKE_FD(socket->fd));
		notify_answer_result(&door->notify, request->id, r);
		return;
	}
	job.grants_of = job.enter_namespaces ? NULL : door->config.plan;
	job.socket_fd = TAKE_FD(socket->fd);
	job.handle_fd = place.fd;
	job.address.sun_family = AF_UNIX;
	/* One of 108 bytes has no NUL at its end. */
	n = MIN(strlen(place.path) + 1, sizeof(job.address.sun_path));
	job.address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	memcpy(job.address.sun_path, place.path, n);
	door_perform_as_caller(door, request, &job);
}

static bool
is_bindable(const struct door_socket *socket)
{
	return socket->domain == AF_UNIX ||
	       (socket->domain == AF_NETLINK && socket->protocol == NETLINK_ROUTE);
}

void
door_handle_bind(struct door *door, const struct notify_request *request)
{
	struct door_socket socket;
	union door_address address;
	socklen_t bytes;
	int r = -EACCES;

	if (!door_take_call(door, request, &socket, &address, &bytes))
		return;
	if (is_unix_path(&socket, &address, bytes)) {
		bind_unix_path(door, request, &socket, &address, bytes);
		return;
	}
	if (socket.domain == AF_INET || socket.domain == AF_INET6)
		r = bind_internet(door, &socket, &address, bytes);
	else if (is_bindable(&socket))
		r = bind(socket.fd, &address.any, bytes) < 0 ? -errno : 0;
	patience_close(socket.fd);
	notify_answer_result(&door->notify, request->id, r);
}

/* 0 where it may listen, tied to loopback if it must be. */
static int
judge_listen(struct door *door, const struct door_socket *socket)
{
	union door_address address = { 0 };
	socklen_t bytes = sizeof(address);
	struct net_address judged;
	enum net_verdict verdict;
	uint16_t port;
	int r;

	if (getsockname(socket->fd, &address.any, &bytes) < 0)
		return -errno;
	r = door_normalize_internet(&address, &bytes, &judged, &port);
	if (r < 0)
		return r;
	verdict = net_decide_bind(door->config.policy, &judged, port);
	if (verdict == NET_VERDICT_ALLOW || door_is_elsewhere(door, socket->fd))
		return 0;
	if (verdict == NET_VERDICT_MAKE_LOOPBACK)
		return tie_to_loopback(socket->fd);
	record_refused(door, &judged, port);
	return -EACCES;
}

static int
listen_and_note(struct door *door, const struct notify_request *request,
		const struct door_socket *socket, int backlog)
{
	bool is_internet = socket->domain == AF_INET || socket->domain == AF_INET6;
	int r = 0;

	if (!is_internet && (socket->domain != AF_UNIX ||
			     (socket->type != SOCK_STREAM && socket->type != SOCK_SEQPACKET)))
		return -EOPNOTSUPP;
	if (is_internet)
		r = judge_listen(door, socket);
	if (r < 0)
		return r;
	door_open_diag(door, request);
	if (!listeners_has_room(&door->listeners))
		return -ENOBUFS;
	if (listen(socket->fd, backlog) < 0)
		return -errno;
	if (is_internet)
		/* One that cannot be noted is not found at a connect: refused, nothing more. */
		(void)listeners_note_tcp(&door->listeners, socket->fd);
	else
		(void)listeners_note_unix(&door->listeners, socket->fd);
	return 0;
}

void
door_handle_listen(struct door *door, const struct notify_request *request)
{
	struct door_socket socket;
	int r = door_take_socket(door, request, &socket);

	if (r == 0) {
		r = listen_and_note(door, request, &socket, (int)request->args[1]);
		patience_close(socket.fd);
	}
	notify_answer_result(&door->notify, request->id, r);
}
