/* connect: judged by what the taken socket is and by the broker's copy of the address. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "broker/door_internal.h"
#include "policy/net_decide.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/os_linux.h"

/* As RFC 2133 had it, without the scope; the kernel still takes it. */
#define SOCKADDR_IN6_SHORT_BYTES 24

int
door_take_socket(struct door *door, const struct notify_request *request,
		 struct door_socket *ret_socket)
{
	struct door_socket taken = { .fd = -1 };
	socklen_t n = sizeof(int);
	int r = notify_take_fd(&door->notify, request, (int)request->args[0], &taken.fd);

	if (r < 0)
		return r;
	taken.type = SOCK_STREAM;
	/* The most frequent answer, TCP, tells the type too. */
	if (getsockopt(taken.fd, SOL_SOCKET, SO_DOMAIN, &taken.domain, &n) < 0 ||
	    getsockopt(taken.fd, SOL_SOCKET, SO_PROTOCOL, &taken.protocol, &n) < 0 ||
	    (taken.protocol != IPPROTO_TCP &&
	     getsockopt(taken.fd, SOL_SOCKET, SO_TYPE, &taken.type, &n) < 0)) {
		r = -errno;
		patience_close(taken.fd);
		return r;
	}
	*ret_socket = taken;
	return 0;
}

static int
read_address(struct door *door, const struct notify_request *request,
	     union door_address *ret_address, socklen_t *ret_bytes)
{
	int bytes = (int)request->args[2];
	int r;

	memset(ret_address, 0, sizeof(*ret_address));
	if (bytes < (int)sizeof(sa_family_t) || bytes > (int)sizeof(*ret_address))
		return -EINVAL;
	r = notify_read_memory(&door->notify, request, request->args[1], ret_address,
			       (size_t)bytes);
	if (r < 0)
		return r;
	*ret_bytes = (socklen_t)bytes;
	return 0;
}

bool
door_take_call(struct door *door, const struct notify_request *request,
	       struct door_socket *ret_socket, union door_address *ret_address,
	       socklen_t *ret_bytes)
{
	int r = door_take_socket(door, request, ret_socket);

	if (r == 0) {
		r = read_address(door, request, ret_address, ret_bytes);
		if (r < 0)
			patience_close(ret_socket->fd);
	}
	if (r < 0)
		notify_answer_result(&door->notify, request->id, r);
	return r == 0;
}

bool
door_is_elsewhere(const struct door *door, int socket_fd)
{
	uint64_t cookie;
	socklen_t n = sizeof(cookie);

	return door->config.policy->net_mode != NET_MODE_BLOCKED &&
	       getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n) == 0 &&
	       cookie != door->network_cookie;
}

int
door_normalize_internet(union door_address *address, socklen_t *bytes,
			struct net_address *ret_address, uint16_t *ret_port)
{
	union door_address own = { 0 };

	if (address->any.sa_family == AF_INET) {
		if (*bytes < sizeof(own.v4))
			return -EINVAL;
		own.v4.sin_family = AF_INET;
		own.v4.sin_port = address->v4.sin_port;
		own.v4.sin_addr = address->v4.sin_addr;
		net_address_from_v4_bytes((const uint8_t *)&own.v4.sin_addr, ret_address);
		*bytes = sizeof(own.v4);
	} else if (address->any.sa_family == AF_INET6) {
		if (*bytes < SOCKADDR_IN6_SHORT_BYTES)
			return -EINVAL;
		own.v6.sin6_family = AF_INET6;
		own.v6.sin6_port = address->v6.sin6_port;
		own.v6.sin6_addr = address->v6.sin6_addr;
		own.v6.sin6_scope_id = *bytes >= sizeof(own.v6) ? address->v6.sin6_scope_id : 0;
		net_address_from_v6_bytes(own.v6.sin6_addr.s6_addr, ret_address);
		*bytes = sizeof(own.v6);
	} else {
		return -EAFNOSUPPORT;
	}
	/* The port is at the same place in both. */
	*ret_port = ntohs(own.v4.sin_port);
	*address = own;
	return 0;
}

char *
door_endpoint_text(const struct net_address *address, uint16_t port)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	net_address_format(address, text);
	return mem_printf(address->is_v6 ? "[%s]:%u" : "%s:%u", text, port);
}

char *
door_remedy(const char *flag, const char *value)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_puts(&text, flag);
	strbuf_putc(&text, ' ');
	strbuf_put_shell(&text, value);
	return strbuf_take(&text);
}

/*
 * A connect to the wildcard address goes to loopback; the kernel might take the socket's own
 * address instead.
 */
static void
make_wildcard_loopback(union door_address *address, struct net_address *judged)
{
	static const uint8_t v4_loopback[4] = { 127, 0, 0, 1 };

	if (address->any.sa_family == AF_INET && address->v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
		memcpy(&address->v4.sin_addr, v4_loopback, sizeof(v4_loopback));
		net_address_from_v4_bytes(v4_loopback, judged);
	} else if (address->any.sa_family == AF_INET6 &&
		   IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr)) {
		address->v6.sin6_addr = in6addr_loopback;
		net_address_from_v6_bytes(address->v6.sin6_addr.s6_addr, judged);
	} else if (address->any.sa_family == AF_INET6 &&
		   IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr) &&
		   address->v6.sin6_addr.s6_addr32[3] == 0) {
		memcpy(&address->v6.sin6_addr.s6_addr32[3], v4_loopback, sizeof(v4_loopback));
		net_address_from_v4_bytes(v4_loopback, judged);
	}
}

/* The request as the policy sees it. */
struct destination {
	struct net_address address;
	uint16_t port;
	const char *const *names;
	size_t names_count;
	bool is_datagram;
	bool is_own; /* found out by judge() */
};

static void
record_refused(struct door *door, const struct destination *to, const struct net_rule *rule)
{
	const struct policy *policy = door->config.policy;
	_cleanup_free_ char *endpoint = door_endpoint_text(&to->address, to->port);
	_cleanup_free_ char *subject = NULL;
	_cleanup_free_ char *remedy = NULL;
	_cleanup_free_ char *note = NULL;
	struct policy with_private = *policy;

	if (to->names_count > 0)
		subject = mem_printf("%s:%u", to->names[0], to->port);
	else
		subject = mem_strdup(endpoint);
	with_private.allow_private = true;
	if (rule != NULL) {
		note = mem_printf("--deny-net %s refuses it", rule->text);
		remedy = mem_strdup("");
	} else if (!policy->allow_private &&
		   net_decide_connect(&with_private, &to->address, to->port, to->names,
				      to->names_count, NULL) == NET_VERDICT_ALLOW) {
		remedy = mem_strdup("--allow-private");
		note = mem_printf("it leads to %s", endpoint);
	} else if (policy->net_mode == NET_MODE_RULES) {
		remedy = door_remedy("--allow-net", subject);
	} else {
		remedy = door_remedy("--allow-net", subject);
		note = mem_printf("instead of --net %s", net_mode_name(policy->net_mode));
	}
	violations_record(door->config.violations,
			  to->is_datagram ? VIOLATION_DATAGRAM : VIOLATION_CONNECT, subject, remedy,
			  note);
}

/*
 * Whether the listener that would answer is the sandbox's own: 0, -EACCES, or -ECONNREFUSED where
 * there is none.
 */
static int
judge_own_listener(struct door *door, const struct notify_request *request,
		   const union door_address *address)
{
	int own;

	door_open_diag(door, request);
	own = listeners_own_tcp(&door->listeners, &address->any);

	if (own == -ENOENT)
		return -ECONNREFUSED;
	return own == 1 ? 0 : -EACCES;
}

static int
judge(struct door *door, const struct notify_request *request, const struct door_socket *socket,
      const union door_address *address, struct destination *to)
{
	const struct policy *policy = door->config.policy;
	const struct net_rule *rule = NULL;
	enum net_verdict verdict;

	if (door->config.resolver != NULL)
		to->names_count =
		    resolver_client_names(door->config.resolver, &to->address, &to->names);
	verdict =
	    net_decide_connect(policy, &to->address, to->port, to->names, to->names_count, &rule);
	if (verdict == NET_VERDICT_ALLOW)
		return 0;
	/* In a network namespace of the sandbox's own making nothing can be reached but itself. */
	if (door_is_elsewhere(door, socket->fd))
		return 0;
	if (verdict == NET_VERDICT_OWN_LISTENER && socket->type == SOCK_STREAM) {
		int r = judge_own_listener(door, request, address);

		to->is_own = r == 0;
		if (r != -EACCES)
			return r;
	}
	record_refused(door, to, rule);
	return policy->net_mode == NET_MODE_BLOCKED ? -ENETUNREACH : -EACCES;
}

/*
 * Where the network is closed, TCP alone leaves; a datagram socket is the resolver's, and
 * elsewhere.
 */
static int
judge_kind(struct door *door, const struct door_socket *socket, const struct destination *to)
{
	bool closed = door->config.plan->filter_network == PLAN_FILTER_CLOSED;
	bool is_tcp = socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP;
	_cleanup_free_ char *endpoint = NULL;
	_cleanup_free_ char *subject = NULL;

	if (!closed || is_tcp || door_is_elsewhere(door, socket->fd))
		return 0;
	endpoint = door_endpoint_text(&to->address, to->port);
	subject = mem_printf("%s/%s", endpoint, socket->type == SOCK_DGRAM ? "udp" : "not tcp");
	violations_record(door->config.violations, VIOLATION_DATAGRAM, subject, "--net outbound",
			  NULL);
	return -EACCES;
}

/*
 * Without a network namespace there are no datagram sockets to ask for names with. The C library is
 * told to use TCP, and what it connects to in the place of its nameserver is porta's resolver,
 * whatever the rules say of the address: an answer from elsewhere would teach the broker no names.
 */
static bool
is_for_resolver(const struct door *door, const struct door_socket *socket,
		const struct destination *to)
{
	return door->config.plan->tier != SANDBOX_TIER_NAMESPACES &&
	       door->config.resolver != NULL && socket->type == SOCK_STREAM &&
	       socket->protocol == IPPROTO_TCP &&
	       resolver_client_is_server(door->config.resolver, &to->address, to->port);
}

static void
connect_to_resolver(struct door *door, const struct notify_request *request,
		    const struct door_socket *socket)
{
	struct error err = ERROR_INIT;
	int r = resolver_client_connect_stream(door->config.resolver, socket->fd, &err);

	patience_close(socket->fd);
	notify_answer_result(&door->notify, request->id, r);
}

static void
connect_internet(struct door *door, const struct notify_request *request,
		 struct door_socket *socket, union door_address *address, socklen_t bytes)
{
	struct destination to = { .is_datagram = socket->type != SOCK_STREAM };
	int r = 0;

	/*
	 * AF_UNSPEC dissolves an association: it leads nowhere, and the next connect comes here
	 * again. A datagram socket would lose its interface too, and keep its port.
	 */
	if (address->any.sa_family == AF_UNSPEC) {
		if (to.is_datagram && door_is_tied_to_loopback(socket->fd))
			r = -EACCES;
		bytes = sizeof(address->v4);
		memset((char *)address + sizeof(sa_family_t), 0,
		       sizeof(*address) - sizeof(sa_family_t));
	} else {
		r = door_normalize_internet(address, &bytes, &to.address, &to.port);
		if (r == 0) {
			make_wildcard_loopback(address, &to.address);
			if (is_for_resolver(door, socket, &to)) {
				connect_to_resolver(door, request, socket);
				return;
			}
			r = judge_kind(door, socket, &to);
		}
		if (r == 0)
			r = judge(door, request, socket, address, &to);
	}
	if (r == 0) {
		door_perform_connect(door, request, TAKE_FD(socket->fd), address, bytes, -1,
				     to.is_own);
		return;
	}
	patience_close(socket->fd);
	notify_answer_result(&door->notify, request->id, r);
}

static void
refuse_family(struct door *door, const struct notify_request *request,
	      const struct door_socket *socket)
{
	_cleanup_free_ char *subject = mem_printf("address family %d", socket->domain);

	violations_record(door->config.violations, VIOLATION_CONNECT, subject, "",
			  "only TCP and unix sockets connect");
	patience_close(socket->fd);
	notify_answer_error(&door->notify, request->id, EACCES);
}

void
door_handle_connect(struct door *door, const struct notify_request *request)
{
	struct door_socket socket;
	union door_address address;
	socklen_t bytes;

	if (!door_take_call(door, request, &socket, &address, &bytes))
		return;
	if (socket.domain == AF_INET || socket.domain == AF_INET6)
		connect_internet(door, request, &socket, &address, bytes);
	else if (socket.domain == AF_UNIX)
		door_connect_unix(door, request, &socket, &address, bytes);
	else if (socket.domain == AF_NETLINK && socket.protocol == NETLINK_ROUTE)
		door_perform_connect(door, request, socket.fd, &address, bytes, -1, false);
	else
		refuse_family(door, request, &socket);
}
