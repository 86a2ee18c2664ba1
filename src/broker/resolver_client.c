/*
 * The broker's side of porta-resolver; see resolver_client.h, and resolver/main.c
 * for how a question travels.
 *
 * What the resolver says is judged anew each time: the broker keeps nothing of a query,
 * so that there is no state that a resolver which was taken over could confuse.
 */
#include "broker/resolver_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "broker/patience.h"
#include "broker/resolv_conf.h"
#include "broker/resolver_process.h"
#include "policy/net_decide.h"
#include "util/fd.h"
#include "util/mem.h"

#define RESOLV_CONF_PATH "/etc/resolv.conf"
#define HOSTS_PATH	 "/etc/hosts"
/* A block list of some ten thousand lines fits; of a longer file nothing is read. */
#define HOSTS_FILE_BYTES (4 * 1024 * 1024)
#define DNS_PORT	 53
/* How long the broker waits for a socket, with everything else; it is there within 0.1 ms. */
#define SOCKET_TIMEOUT_MS 2000
#define STREAM_TIMEOUT_MS 1000
/* Messages handled in one turn of the loop, so that a flood of them does not hold up the door. */
#define MESSAGES_PER_TURN 64

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct resolver_client {
	const struct policy *policy;
	struct loop *loop;
	struct violations *violations;
	struct resolver_process process;
	unsigned starts;
	struct known_names *known; /* NULL until needed */
	struct resolv_conf conf;
	struct stat conf_state; /* of the file that `conf` was read from; all zero: none */
	bool has_conf;
};

union resolver_message {
	uint32_t kind;
	struct resolver_event event;
	struct resolver_addresses addresses;
};

struct resolver_client *
resolver_client_new(const struct policy *policy, struct loop *loop, struct violations *violations)
{
	struct resolver_client *client = MEM_NEW(struct resolver_client);

	client->policy = policy;
	client->loop = loop;
	client->violations = violations;
	client->process = (struct resolver_process)RESOLVER_PROCESS_INIT;
	return client;
}

static void
stop(struct resolver_client *client)
{
	if (client->process.control_fd >= 0)
		loop_unwatch(client->loop, client->process.control_fd);
	resolver_process_stop(&client->process);
}

void
resolver_client_free(struct resolver_client *client)
{
	if (client == NULL)
		return;
	stop(client);
	known_names_free(client->known);
	resolv_conf_done(&client->conf);
	free(client);
}

/* The host's resolv.conf as it is now: a laptop that changes networks writes it anew. */
static const struct resolv_conf *
current_conf(struct resolver_client *client)
{
	_cleanup_free_ char *text = NULL;
	char host_name[256] = "";
	struct stat state = { 0 };

	(void)stat(RESOLV_CONF_PATH, &state);
	if (client->has_conf && state.st_ino == client->conf_state.st_ino &&
	    state.st_dev == client->conf_state.st_dev &&
	    state.st_mtim.tv_sec == client->conf_state.st_mtim.tv_sec &&
	    state.st_mtim.tv_nsec == client->conf_state.st_mtim.tv_nsec)
		return &client->conf;
	(void)fd_read_file_at(AT_FDCWD, RESOLV_CONF_PATH, RESOLV_CONF_FILE_BYTES, &text, NULL);
	(void)gethostname(host_name, sizeof(host_name) - 1);
	resolv_conf_done(&client->conf);
	resolv_conf_parse(text != NULL ? text : "", host_name, &client->conf);
	client->conf_state = state;
	client->has_conf = true;
	return &client->conf;
}

static const char *const *
search_domains(struct resolver_client *client)
{
	return (const char *const *)current_conf(client)->search.items;
}

/*
 * /etc/hosts is read at the first use: an address that a program inside finds there counts as
 * the name that it looked for.
 */
static struct known_names *
known_names(struct resolver_client *client)
{
	_cleanup_free_ char *text = NULL;

	if (client->known != NULL)
		return client->known;
	client->known = known_names_new();
	if (fd_read_file_at(AT_FDCWD, HOSTS_PATH, HOSTS_FILE_BYTES, &text, NULL) == 0)
		known_names_add_hosts(client->known, text, client->policy);
	return client->known;
}

/*
 * 0 or a negative errno; the resolver is stopped when it does not take what it is sent.
 * -ETOOMANYREFS: the user's programs have too many descriptors in flight for one more, and nothing
 * was sent.
 */
static int
send_order(struct resolver_client *client, const struct resolver_order *order, int passed_fd)
{
	int r = fd_send(client->process.control_fd, order, sizeof(*order), passed_fd);

	if (r < 0 && r != -ETOOMANYREFS)
		stop(client);
	return r;
}

/* Whether the text is a name as the resolver writes them: lower case, digits, "-" and "_". */
static bool
is_name(const char *name, size_t size)
{
	size_t label = 0;

	if (memchr(name, '\0', size) == NULL)
		return false;
	for (; *name != '\0'; name++) {
		bool in_label = (*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') ||
				*name == '-' || *name == '_';

		if (!in_label && (*name != '.' || label == 0))
			return false;
		label = in_label ? label + 1 : 0;
		if (label > 63)
			return false;
	}
	return label > 0;
}

/* The name that a person would have asked for: without a search domain behind it. */
static char *
name_as_typed(struct resolver_client *client, const char *name)
{
	struct strv forms = STRV_INIT;
	char *typed = mem_strdup(name);

	net_name_add_forms(name, search_domains(client), &forms);
	for (size_t i = 1; i < forms.count; i++) {
		if (strchr(forms.items[i], '.') == NULL || strlen(forms.items[i]) >= strlen(typed))
			continue;
		free(typed);
		typed = mem_strdup(forms.items[i]);
	}
	strv_done(&forms);
	return typed;
}

static bool
is_denied(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->deny_net.count; i++) {
		if (policy->deny_net.items[i].kind == NET_HOST_ANY ||
		    net_rule_matches_name(&policy->deny_net.items[i], name))
			return true;
	}
	return false;
}

static void
record_refused_name(struct resolver_client *client, const char *name)
{
	_cleanup_free_ char *typed = name_as_typed(client, name);
	_cleanup_free_ char *remedy = NULL;

	/* A look-up of an address's name, that most programs make in passing. */
	if (str_ends_with(name, ".arpa"))
		return;
	if (is_denied(client->policy, typed)) {
		violations_record(client->violations, VIOLATION_NAME, typed, "",
				  "a --deny-net rule names it");
		return;
	}
	remedy = client->policy->net_mode == NET_MODE_RULES
		     ? mem_printf("--allow-net '%s:443'", typed)
		     : mem_strdup("--net outbound");
	violations_record(client->violations, VIOLATION_NAME, typed, remedy, NULL);
}

/* A socket that is connected to the server, or is about to be; -1 if it cannot be reached. */
static int
connect_upstream(const union resolv_conf_server *server, bool use_tcp)
{
	_cleanup_fd_ int fd =
	    socket(server->any.sa_family,
		   (use_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, &server->any, resolv_conf_server_length(server)) < 0 &&
	    errno != EINPROGRESS)
		return -1;
	return TAKE_FD(fd);
}

static int
on_ask(struct resolver_client *client, const struct resolver_event *event)
{
	struct resolver_order order = { .kind = RESOLVER_ORDER_VERDICT, .query = event->query };
	const struct resolv_conf *conf = current_conf(client);
	_cleanup_fd_ int upstream_fd = -1;
	int r;

	if (!is_name(event->name, sizeof(event->name)))
		return -EPROTO;
	if (!net_decide_name(client->policy, event->name, search_domains(client))) {
		record_refused_name(client, event->name);
		order.value = RESOLVER_VERDICT_REFUSED;
	} else if (event->attempt >= conf->servers_count * conf->attempts) {
		order.value = RESOLVER_VERDICT_EXHAUSTED;
	} else {
		order.value = RESOLVER_VERDICT_UPSTREAM;
		order.timeout_ms = conf->timeout_seconds * 1000;
		upstream_fd = connect_upstream(&conf->servers[event->attempt % conf->servers_count],
					       event->use_tcp != 0);
	}
	r = send_order(client, &order, upstream_fd);
	/* As if that server could not be reached: the next is asked. */
	return r == -ETOOMANYREFS ? send_order(client, &order, -1) : r;
}

/*
 * Whether this host has a way to an IPv6 address; no packet is sent. The C library asks the
 * same with sockets of the private namespace, where every answer is no, and would
 * then put IPv6 first also where there is none.
 */
static bool
has_route(const struct net_address *address)
{
	struct sockaddr_in6 peer = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	_cleanup_fd_ int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&peer.sin6_addr, address->bytes, sizeof(peer.sin6_addr));
	return fd >= 0 && connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) == 0;
}

/* Remembers one address of an answer if the policy admits it. */
static bool
admit_address(struct resolver_client *client, const char *name, const struct net_address *address)
{
	struct strv forms = STRV_INIT;

	if (!net_decide_answer(client->policy, name, search_domains(client), address))
		return false;
	net_name_add_forms(name, search_domains(client), &forms);
	for (size_t i = 0; i < forms.count; i++)
		known_names_add(known_names(client), address, forms.items[i]);
	strv_done(&forms);
	return true;
}

static void
record_refused_answer(struct resolver_client *client, const char *name,
		      const struct net_address *address)
{
	_cleanup_free_ char *typed = name_as_typed(client, name);
	_cleanup_free_ char *note = NULL;
	char text[NET_ADDRESS_TEXT_BYTES];
	enum net_address_class class = net_address_classify(address);
	bool is_private = class == NET_ADDRESS_PRIVATE || class == NET_ADDRESS_LOOPBACK ||
			  class == NET_ADDRESS_LINK_LOCAL;

	net_address_format(address, text);
	note = is_private ? mem_printf("resolves to a private address, %s", text)
			  : mem_printf("resolves to %s, which no rule with a name admits", text);
	violations_record(client->violations, VIOLATION_NAME, typed,
			  is_private && !client->policy->allow_private ? "--allow-private" : "",
			  note);
}

static int
on_addresses(struct resolver_client *client, const struct resolver_addresses *message)
{
	struct resolver_order order = { .kind = RESOLVER_ORDER_ADMIT, .query = message->query };
	struct net_address refused;
	bool has_refused = false;

	if (message->count > RESOLVER_ANSWER_ADDRESSES_MAX ||
	    !is_name(message->name, sizeof(message->name)))
		return -EPROTO;
	for (size_t i = 0; i < message->count; i++) {
		struct net_address address;

		if (message->is_v6)
			net_address_from_v6_bytes(message->addresses[i], &address);
		else
			net_address_from_v4_bytes(message->addresses[i], &address);
		if (admit_address(client, message->name, &address)) {
			if (!address.is_v6 || has_route(&address))
				order.admitted |= 1ULL << i;
		} else {
			refused = address;
			has_refused = true;
		}
	}
	if (order.admitted == 0 && has_refused)
		record_refused_answer(client, message->name, &refused);
	return send_order(client, &order, -1);
}

/*
 * Takes one message; *ret_socket_fd gets the socket, or negative errno, of a SOCKET event. Returns
 * 1, or 0 when there was none, or a negative errno when the resolver is no longer to be trusted.
 */
static int
receive(struct resolver_client *client, int *ret_socket_fd)
{
	_cleanup_fd_ int passed_fd = -1;
	union resolver_message message;
	ssize_t n =
	    fd_receive(client->process.control_fd, &message, sizeof(message), 0, &passed_fd);
	int r = -EPROTO;

	if (n == -EAGAIN)
		return 0;
	if (n == (ssize_t)sizeof(message.event)) {
		if (message.kind == RESOLVER_EVENT_ASK)
			r = on_ask(client, &message.event);
		if (message.kind == RESOLVER_EVENT_SOCKET && ret_socket_fd != NULL) {
			if (passed_fd >= 0)
				*ret_socket_fd = TAKE_FD(passed_fd);
			else
				*ret_socket_fd = message.event.code == -ETOOMANYREFS
						     ? -ENOBUFS
						     : -EPROTONOSUPPORT;
			r = 0;
		}
	} else if (n == (ssize_t)sizeof(message.addresses) &&
		   message.kind == RESOLVER_EVENT_ADDRESSES) {
		r = on_addresses(client, &message.addresses);
	}
	if (r < 0)
		stop(client);
	return r < 0 ? r : 1;
}

static void
on_control(void *data, short revents)
{
	struct resolver_client *client = data;

	(void)revents; /* a hang-up is read as such */
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		if (receive(client, NULL) != 1)
			return;
	}
}

/* Tells the person why no name is found; a program inside sees that there is no such socket. */
static int
no_resolver(struct resolver_client *client, const struct error *err)
{
	_cleanup_free_ char *text = mem_printf("DNS does not work: %s", err->message);

	violations_remark(client->violations, text);
	return -EPROTONOSUPPORT;
}

static int
start(struct resolver_client *client, struct error *err)
{
	if (client->process.pid > 0)
		return 0;
	if (client->starts == RESOLVER_STARTS_MAX) {
		error_set(err, -ECHILD, "porta-resolver ended %d times", RESOLVER_STARTS_MAX);
		return no_resolver(client, err);
	}
	client->starts++;
	if (resolver_process_start(&client->process, err) < 0)
		return no_resolver(client, err);
	loop_watch(client->loop, client->process.control_fd, POLLIN, on_control, client);
	return 0;
}

/* Whether it is what was ordered: one that was taken over could pass a socket of the host's. */
static bool
is_private_socket(const struct resolver_client *client, int fd, int family)
{
	int domain;
	int type;
	uint64_t cookie;
	socklen_t length = sizeof(domain);
	socklen_t cookie_length = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == family &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM &&
	       getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &cookie_length) == 0 &&
	       cookie == client->process.namespace_cookie;
}

/* Handles messages until the socket comes. */
static int
await_socket(struct resolver_client *client, struct error *err)
{
	uint64_t deadline_ns = loop_now_ns() + SOCKET_TIMEOUT_MS * 1000000ULL;
	int socket_fd = -1;
	int r;

	while (socket_fd == -1) {
		struct pollfd ready = { .fd = client->process.control_fd, .events = POLLIN };
		uint64_t now_ns = loop_now_ns();

		if (now_ns >= deadline_ns) {
			stop(client);
			return error_set(err, -ETIMEDOUT, "porta-resolver does not answer");
		}
		(void)poll(&ready, 1, (int)((deadline_ns - now_ns) / 1000000) + 1);
		r = receive(client, &socket_fd);
		if (r < 0)
			return error_set_errno(err, r, "porta-resolver has ended");
	}
	return socket_fd;
}

int
resolver_client_socket(struct resolver_client *client, int family, int flags, struct error *err)
{
	struct resolver_order order = { .kind = RESOLVER_ORDER_SOCKET, .value = family };
	_cleanup_fd_ int fd = -1;
	int r = start(client, err);

	if (r < 0)
		return r;
	if (client->process.namespace_error < 0) {
		error_set_errno(err, client->process.namespace_error,
				"a network namespace for it cannot be made");
		return no_resolver(client, err);
	}
	r = send_order(client, &order, -1);
	if (r < 0)
		return error_set_errno(err, r, "porta-resolver has ended");
	fd = await_socket(client, err);
	if (fd < 0)
		return fd;
	if (!is_private_socket(client, fd, family)) {
		stop(client);
		return error_set(err, -EPROTO, "porta-resolver passed a strange socket");
	}
	r = fd_set_nonblocking(fd, (flags & SOCK_NONBLOCK) != 0);
	if (r < 0)
		return error_set_errno(err, r, "cannot set a socket's flags");
	return TAKE_FD(fd);
}

bool
resolver_client_is_server(struct resolver_client *client, const struct net_address *address,
			  uint16_t port)
{
	static const uint8_t v4_loopback[4] = { 127, 0, 0, 1 };
	static const uint8_t v6_loopback[16] = { [15] = 1 };
	const struct resolv_conf *conf = current_conf(client);
	struct net_address server;

	net_address_from_v4_bytes(v4_loopback, &server);
	if (port != DNS_PORT)
		return false;
	if (net_address_equal(address, &server))
		return true;
	net_address_from_v6_bytes(v6_loopback, &server);
	for (size_t i = 0; !net_address_equal(address, &server); i++) {
		if (i == conf->servers_count)
			return false;
		if (conf->servers[i].any.sa_family == AF_INET6)
			net_address_from_v6_bytes(conf->servers[i].v6.sin6_addr.s6_addr, &server);
		else
			net_address_from_v4_bytes((const uint8_t *)&conf->servers[i].v4.sin_addr,
						  &server);
	}
	return true;
}

/* Listens on a port of loopback that the kernel chooses. */
static int
listen_once(int family, union resolv_conf_server *ret_address)
{
	union resolv_conf_server address = { .any.sa_family = (sa_family_t)family };
	_cleanup_fd_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = resolv_conf_server_length(&address);

	if (family == AF_INET6)
		address.v6.sin6_addr = in6addr_loopback;
	else
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, &address.any, length) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, &address.any, &length) < 0)
		return -errno;
	*ret_address = address;
	return TAKE_FD(fd);
}

static bool
is_same_port(const union resolv_conf_server *a, const union resolv_conf_server *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return a->v6.sin6_port == b->v6.sin6_port &&
		       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
	return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

/* Takes the connection of that socket; another process's is closed at once. */
static int
accept_from(int listener_fd, int socket_fd)
{
	union resolv_conf_server own = { 0 };
	socklen_t length = sizeof(own);
	uint64_t deadline_ns = loop_now_ns() + STREAM_TIMEOUT_MS * 1000000ULL;

	if (getsockname(socket_fd, &own.any, &length) < 0)
		return -errno;
	while (loop_now_ns() < deadline_ns) {
		struct pollfd ready = { .fd = listener_fd, .events = POLLIN };
		union resolv_conf_server peer = { 0 };
		_cleanup_fd_ int fd = -1;

		length = sizeof(peer);
		fd = accept4(listener_fd, &peer.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && is_same_port(&own, &peer))
			return TAKE_FD(fd);
		if (fd < 0)
			(void)poll(&ready, 1, STREAM_TIMEOUT_MS);
	}
	return -ETIMEDOUT;
}

/* connect(2) to a listener of this machine that has room: over at once, or else given up. */
static int
connect_promptly(int socket_fd, const union resolv_conf_server *address)
{
	struct pollfd ready = { .fd = socket_fd, .events = POLLOUT };
	socklen_t length = resolv_conf_server_length(address);
	int flags = fcntl(socket_fd, F_GETFL);
	int r = flags < 0 ? -errno : fd_set_nonblocking(socket_fd, true);

	if (r < 0)
		return r;
	patience_begin();
	r = connect(socket_fd, &address->any, length) < 0 ? -errno : 0;
	patience_end();
	if (r == -EINPROGRESS && poll(&ready, 1, STREAM_TIMEOUT_MS) == 1)
		r = connect(socket_fd, &address->any, length) < 0 ? -errno : 0;
	(void)fd_set_nonblocking(socket_fd, (flags & O_NONBLOCK) != 0);
	return r;
}

int
resolver_client_connect_stream(struct resolver_client *client, int socket_fd, struct error *err)
{
	const struct resolver_order order = { .kind = RESOLVER_ORDER_STREAM };
	union resolv_conf_server address;
	_cleanup_fd_ int listener_fd = -1;
	_cleanup_fd_ int accepted_fd = -1;
	socklen_t length = sizeof(int);
	int family;
	int r = start(client, err);

	if (r < 0)
		return r;
	if (getsockopt(socket_fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0)
		return error_set_errno(err, -errno, "cannot look at a socket");
	listener_fd = listen_once(family, &address);
	if (listener_fd < 0)
		return error_set_errno(err, listener_fd, "cannot listen for a DNS client");
	r = connect_promptly(socket_fd, &address);
	if (r < 0)
		return error_set_errno(err, r, "cannot connect a DNS client");
	accepted_fd = accept_from(listener_fd, socket_fd);
	if (accepted_fd < 0)
		return error_set_errno(err, accepted_fd, "cannot accept a DNS client");
	r = send_order(client, &order, accepted_fd);
	return r < 0 ? error_set_errno(err, r, "porta-resolver has ended") : 0;
}

int
resolver_client_stream(struct resolver_client *client, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return error_set_errno(err, -errno, "cannot make a socket");
	r = resolver_client_connect_stream(client, fd, err);
	return r < 0 ? r : TAKE_FD(fd);
}

size_t
resolver_client_names(struct resolver_client *client, const struct net_address *address,
		      const char *const **ret_names)
{
	return known_names_get(known_names(client), address, ret_names);
}

char *
resolver_client_resolv_conf(const char *host_resolv_conf)
{
	struct strbuf text = STRBUF_INIT;
	struct resolv_conf conf;

	resolv_conf_parse(host_resolv_conf, NULL, &conf);
	strbuf_puts(&text, "nameserver 127.0.0.1\n");
	if (conf.has_search)
		strbuf_puts(&text, "search");
	for (size_t i = 0; i < conf.search.count; i++)
		strbuf_printf(&text, " %s", conf.search.items[i]);
	if (conf.has_search)
		strbuf_puts(&text, conf.search.count > 0 ? "\n" : " .\n");
	for (size_t i = 0; i < conf.options.count; i++)
		strbuf_printf(&text, "options %s\n", conf.options.items[i]);
	resolv_conf_done(&conf);
	return strbuf_take(&text);
}
