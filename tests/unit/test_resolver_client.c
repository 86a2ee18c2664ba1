/*
 * porta-resolver and the broker's side of it, the real ones, in a namespace that has
 * nothing but loopback, two nameservers of this test's own, and its own /etc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/resolver_client.h"
#include "broker/resolver_protocol.h"
#include "dns_world.h"
#include "util/fd.h"

static struct loop *loop;
static struct violations *violations;
static struct policy policy;
static struct resolver_client *client;
static uint8_t answer[65536];
static ssize_t answer_length;

static int
group_setup(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	server_pid = fork();
	if (server_pid == 0)
		run_servers(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	return 0;
}

static void
make_client(const char *const *rules, const char *const *deny)
{
	struct error err = ERROR_INIT;

	policy_init(&policy);
	for (; *rules != NULL; rules++)
		assert_int_equal(net_rules_add(&policy.allow_net, *rules, &err), 0);
	for (; deny != NULL && *deny != NULL; deny++)
		assert_int_equal(net_rules_add(&policy.deny_net, *deny, &err), 0);
	assert_int_equal(policy_finish(&policy, &err), 0);
	loop = loop_new();
	violations = violations_new();
	client = resolver_client_new(&policy, loop, violations);
	memset(seen, 0, sizeof(*seen));
}

static int
setup(void **state)
{
	static const char *const rules[] = { "*.example.com:443", "db:5432", NULL };

	(void)state;
	make_client(rules, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	resolver_client_free(client);
	violations_free(violations);
	loop_free(loop);
	policy_done(&policy);
	return 0;
}

/* ---- asking, as a program inside would ---- */

static int
dns_socket(int family)
{
	struct error err = ERROR_INIT;
	int fd = resolver_client_socket(client, family, SOCK_NONBLOCK, &err);

	if (fd < 0)
		fail_msg("%s", err.message);
	return fd;
}

static size_t
make_query(const char *name, unsigned type, uint8_t *query)
{
	size_t at = 12;

	memcpy(query, "\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		query[at++] = (uint8_t)n;
		memcpy(query + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	memcpy(query + at, (uint8_t[]){ 0, 0, (uint8_t)type, 0, 1 }, 5);
	return at + 5;
}

static void
on_answer(void *data, short revents)
{
	(void)revents;
	answer_length = recv(*(const int *)data, answer, sizeof(answer), MSG_DONTWAIT);
	loop_stop(loop);
}

static void
on_silence(void *data)
{
	(void)data;
	answer_length = -1;
	loop_stop(loop);
}

static void
await_answer(int fd, unsigned timeout_ms)
{
	struct loop_timer timer = { 0 };

	loop_watch(loop, fd, POLLIN, on_answer, &fd);
	loop_timer_set(loop, &timer, timeout_ms, on_silence, NULL);
	assert_int_equal(loop_run(loop), 0);
	loop_timer_cancel(loop, &timer);
	loop_unwatch(loop, fd);
}

static void
send_bytes(int fd, const void *bytes, size_t n)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(53),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&address, sizeof(address)), n);
}

/* Asks, and returns the answer's code, or -1 for none. */
static int
ask(const char *name, unsigned type)
{
	_cleanup_fd_ int fd = dns_socket(AF_INET);
	uint8_t query[512];

	send_bytes(fd, query, make_query(name, type, query));
	await_answer(fd, 5000);
	if (answer_length < 12)
		return -1;
	assert_memory_equal(answer, "\x12\x34", 2);
	return answer[3] & 15;
}

static unsigned
answers(void)
{
	return (unsigned)(answer[6] << 8 | answer[7]);
}

static bool
answer_has(const char *address_text)
{
	struct net_address address;

	assert_int_equal(net_address_parse(address_text, &address), 0);
	return memmem(answer, (size_t)answer_length, address.bytes, address.is_v6 ? 16 : 4) != NULL;
}

static size_t
names_of(const char *address_text, const char *const **ret_names)
{
	struct net_address address;

	assert_int_equal(net_address_parse(address_text, &address), 0);
	return resolver_client_names(client, &address, ret_names);
}

static char *
report(void)
{
	char *text = NULL;
	int fd = memfd_create("report", MFD_CLOEXEC);

	assert_int_equal(violations_write_report(violations, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_whole(fd, 65536, &text, NULL), 0);
	close(fd);
	return text;
}

/* ---- tests ---- */

static void
test_admitted(void **state)
{
	static const uint8_t own_query[] = "\1\0\0\1\0\0\0\0\0\1\3api\7example\3com\0\0\1\0\1"
					   "\0\0\51\4\xd0\0\0\0\0\0";
	const char *const *names;

	(void)state;
	assert_int_equal(names_of("203.0.113.5", &names), 0);
	assert_int_equal(ask("API.example.com", TYPE_A), 0);
	assert_int_equal(answers(), 1);
	assert_true(answer_has("203.0.113.5"));
	assert_int_equal(names_of("203.0.113.5", &names), 1);
	assert_string_equal(names[0], "api.example.com");
	/* What went out is porta's own query. */
	assert_int_equal(seen->udp, 1);
	assert_int_equal(seen->query_length, 2 + sizeof(own_query));
	assert_memory_equal(seen->query + 2, own_query, sizeof(own_query));
	assert_int_equal(violations_count(violations), 0);
}

static void
test_refused(void **state)
{
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(ask("secret.example.net", TYPE_A), 3);
	assert_int_equal(ask("secret.example.net.corp.example", TYPE_A), 3);
	assert_int_equal(ask("example.com.example.net", TYPE_TXT), 3);
	assert_int_equal(ask("notexample.com", TYPE_A), 3);
	assert_int_equal(seen->udp + seen->tcp, 0);
	assert_int_equal(violations_count(violations), 3);
	text = report();
	assert_non_null(strstr(text, "--allow-net 'secret.example.net:443'"));
}

static void
test_denied(void **state)
{
	static const char *const rules[] = { "*:443", NULL };
	static const char *const deny[] = { "*.example.net:*", NULL };
	_cleanup_free_ char *text = NULL;

	(void)state;
	make_client(rules, deny);
	assert_int_equal(ask("a.example.net", TYPE_A), 3);
	assert_int_equal(seen->udp, 0);
	assert_int_equal(ask("a.example.org", TYPE_A), 0);
	text = report();
	assert_non_null(strstr(text, "a --deny-net rule names it"));
}

static void
test_private_answers(void **state)
{
	_cleanup_free_ char *text = NULL;
	const char *const *names;

	(void)state;
	assert_int_equal(ask("private.example.com", TYPE_A), 0);
	assert_int_equal(answers(), 0);
	text = report();
	assert_non_null(strstr(text, "resolves to a private address, 10.0.0.5"));
	assert_non_null(strstr(text, "--allow-private"));
	assert_int_equal(ask("mixed.example.com", TYPE_A), 0);
	assert_int_equal(answers(), 1);
	assert_true(answer_has("203.0.113.9"));
	assert_false(answer_has("10.0.0.5"));
	assert_int_equal(names_of("10.0.0.5", &names), 0);
}

static void
test_foreign_records(void **state)
{
	const char *const *names;

	(void)state;
	assert_int_equal(ask("evil.example.com", TYPE_A), 0);
	assert_int_equal(answers(), 0);
	assert_int_equal(names_of("198.51.100.9", &names), 0);
	assert_int_equal(ask("forged.example.com", TYPE_A), 0);
	assert_int_equal(answers(), 1);
	assert_true(answer_has("203.0.113.5"));
}

static void
test_servers_in_turn(void **state)
{
	(void)state;
	assert_int_equal(ask("gone.example.com", TYPE_A), 3);
	assert_int_equal(seen->udp, 1);
	assert_int_equal(ask("fail.example.com", TYPE_A), 0);
	assert_true(answer_has("203.0.113.5"));
	assert_int_equal(ask("slow.example.com", TYPE_A), 0);
	assert_int_equal(ask("noedns.example.com", TYPE_A), 0);
	assert_true(answer_has("203.0.113.5"));
}

static void
test_truncated(void **state)
{
	(void)state;
	/* Over TCP from there; here it is cut, and says so. */
	assert_int_equal(ask("big.example.com", TYPE_TXT), 0);
	assert_int_equal(seen->tcp, 1);
	assert_true(answer_length <= 512);
	assert_true(answer[2] & 2);
}

static void
test_localhost(void **state)
{
	(void)state;
	assert_int_equal(ask("localhost", TYPE_A), 0);
	assert_true(answer_has("127.0.0.1"));
	assert_int_equal(ask("app.localhost", TYPE_AAAA), 0);
	assert_true(answer_has("::1"));
	assert_int_equal(seen->udp, 0);
}

static void
test_search_domain(void **state)
{
	const char *const *names;
	size_t count;

	(void)state;
	assert_int_equal(ask("db.corp.example", TYPE_A), 0);
	assert_int_equal(answers(), 1);
	count = names_of("203.0.113.5", &names);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "db");
	assert_int_equal(ask("db.other.example", TYPE_A), 3);
}

static void
test_ipv6(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons(53),
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	_cleanup_fd_ int fd = dns_socket(AF_INET6);
	uint8_t query[512];
	size_t n = make_query("api.example.com", TYPE_AAAA, query);

	(void)state;
	assert_int_equal(sendto(fd, query, n, 0, (struct sockaddr *)&address, sizeof(address)), n);
	await_answer(fd, 3000);
	assert_true(answer_length > 12);
	/* This host has no way to it, and so the program is spared the attempt. */
	assert_int_equal(answers(), 0);
	assert_int_equal(violations_count(violations), 0);
}

static void
test_hosts(void **state)
{
	const char *const *names;

	(void)state;
	assert_int_equal(names_of("198.51.100.7", &names), 1);
	assert_string_equal(names[0], "files.example.com");
	assert_int_equal(names_of("198.51.100.8", &names), 0);
}

/* The socket leads nowhere but to the resolver. */
static void
test_socket_is_private(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(53),
				       .sin_addr.s_addr = htonl(0x7f000035) };
	_cleanup_fd_ int fd = dns_socket(AF_INET);

	(void)state;
	/* 127.0.0.53 of that namespace: nobody. */
	(void)!sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
	address.sin_addr.s_addr = htonl(0xcb007105);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(errno, ENETUNREACH);
	await_answer(fd, 50);
	assert_int_equal(seen->udp, 0);
}

static void
test_stream(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_fd_ int fd = resolver_client_stream(client, &err);
	uint8_t query[512];
	size_t n = make_query("big.example.com", TYPE_TXT, query + 2);
	size_t second;

	(void)state;
	assert_true(fd >= 0);
	query[0] = 0;
	query[1] = (uint8_t)n;
	/* Two questions in one, the first in pieces. */
	assert_int_equal(write(fd, query, 1), 1);
	usleep(1000);
	second = make_query("secret.example.net", TYPE_A, query + 2 + n + 2);
	query[2 + n] = 0;
	query[2 + n + 1] = (uint8_t)second;
	assert_int_equal(write(fd, query + 1, n + second + 3), n + second + 3);
	await_answer(fd, 3000);
	assert_int_equal(answer[0] << 8 | answer[1], answer_length - 2);
	assert_int_equal(answer[2 + 3] & 15, 3);
	await_answer(fd, 3000);
	assert_int_equal(answer[0] << 8 | answer[1], answer_length - 2);
	assert_int_equal(answer[2 + 7], 20);
	/* Nonsense ends it. */
	assert_int_equal(write(fd, "\0\3abc", 5), 5);
	await_answer(fd, 3000);
	assert_int_equal(answer_length, 0);
}

static void
test_is_server(void **state)
{
	struct net_address address;

	(void)state;
	assert_int_equal(net_address_parse("127.0.0.54", &address), 0);
	assert_true(resolver_client_is_server(client, &address, 53));
	assert_false(resolver_client_is_server(client, &address, 54));
	assert_int_equal(net_address_parse("127.0.0.1", &address), 0);
	assert_true(resolver_client_is_server(client, &address, 53));
	assert_int_equal(net_address_parse("::1", &address), 0);
	assert_true(resolver_client_is_server(client, &address, 53));
	assert_int_equal(net_address_parse("127.0.0.55", &address), 0);
	assert_false(resolver_client_is_server(client, &address, 53));
}

/* The resolver's process id: this process's only child but for the servers. */
static pid_t
resolver_pid(void)
{
	char text[256] = "";
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	char *rest = text;
	long pid;

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	while ((pid = strtol(rest, &rest, 10)) > 0) {
		if (pid != server_pid)
			return (pid_t)pid;
	}
	return -1;
}

static void
test_dead_resolver(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < RESOLVER_STARTS_MAX; i++) {
		assert_int_equal(ask("api.example.com", TYPE_A), 0);
		assert_int_equal(kill(resolver_pid(), SIGKILL), 0);
		usleep(20000);
		/* The loop sees the hang-up. */
		if (i % 2 == 0) {
			_cleanup_fd_ int idle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

			await_answer(idle, 20);
			assert_int_equal(resolver_pid(), -1);
		} else {
			assert_true(resolver_client_socket(client, AF_INET, 0, &err) < 0);
		}
	}
	assert_int_equal(resolver_client_socket(client, AF_INET, 0, &err), -EPROTONOSUPPORT);
}

/* Passes `count` descriptors that nobody receives; both ends of the pairs are in `ends`. */
static size_t
put_in_flight(size_t count, int ends[][2], size_t pairs_max)
{
	size_t passed = 0;
	size_t pairs = 0;
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (; pairs < pairs_max && passed < count; pairs++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends[pairs]), 0);
		while (passed < count && fd_send(ends[pairs][0], "", 1, null_fd) == 0)
			passed++;
	}
	close(null_fd);
	assert_int_equal(passed, count);
	return pairs;
}

static void
end_flight(int ends[][2], size_t pairs)
{
	for (size_t i = 0; i < pairs; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
}

/* The kernel counts what is in flight for all of a user's programs against the limit of the one that passes. */
static void
test_descriptors_in_flight(void **state)
{
	static int ends[64][2];
	struct error err = ERROR_INIT;
	struct rlimit limit;
	size_t pairs = put_in_flight(400, ends, ARRAY_SIZE(ends));
	pid_t pid;

	(void)state;
	assert_int_equal(ask("api.example.com", TYPE_A), 0);
	pid = resolver_pid();
	end_flight(ends, pairs);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < 8192)
		return;
	limit.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* Too many: a socket cannot be had now, and later it can, of the same resolver. */
	pairs = put_in_flight(5000, ends, ARRAY_SIZE(ends));
	assert_int_equal(resolver_client_socket(client, AF_INET, 0, &err), -ENOBUFS);
	end_flight(ends, pairs);
	assert_int_equal(ask("api.example.com", TYPE_A), 0);
	assert_int_equal(resolver_pid(), pid);
}

/* More questions at once than there are places: none is lost. */
static void
test_many(void **state)
{
	enum { COUNT = 400 };
	_cleanup_fd_ int fd = dns_socket(AF_INET);
	unsigned received = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		char name[64];
		uint8_t query[512];
		size_t n;

		snprintf(name, sizeof(name), "n%u.example.com", i);
		n = make_query(name, TYPE_A, query);
		query[0] = (uint8_t)(i >> 8);
		query[1] = (uint8_t)i;
		send_bytes(fd, query, n);
	}
	for (;;) {
		await_answer(fd, 1500);
		if (answer_length < 0)
			break;
		assert_int_equal(answers(), 1);
		received++;
	}
	assert_int_equal(received, COUNT);
}

static void
test_resolv_conf(void **state)
{
	static const struct {
		const char *host;
		const char *inside;
	} cases[] = {
		{ "", "nameserver 127.0.0.1\n" },
		{ RESOLV_CONF, "nameserver 127.0.0.1\nsearch corp.example lab.example\n"
			       "options timeout:1\noptions attempts:1\noptions ndots:2\n" },
		{ "# search x\nsearch a.example b.example\ndomain C.example.\n",
		  "nameserver 127.0.0.1\nsearch c.example\n" },
		{ "search .\noptions edns0 trust-ad ndots:x debug\n",
		  "nameserver 127.0.0.1\nsearch .\noptions edns0\n" },
		{ "nameserver fe80::1%lo\nsearch bad\\name ok.example\x01\n",
		  "nameserver 127.0.0.1\nsearch .\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = resolver_client_resolv_conf(cases[i].host);

		assert_string_equal(text, cases[i].inside);
	}
}

/* ---- a resolver that was taken over: this program, in the other's place ---- */

#define HOSTILE_FILE "/etc/hostile"

enum hostile_deed {
	HOSTILE_HOST_SOCKET = 'a', /* passes a socket of the host's namespace */
	HOSTILE_STREAM_SOCKET,	   /* passes a TCP socket of its own namespace */
	HOSTILE_FILE_PASSED,
	HOSTILE_SHORT,
	HOSTILE_LONG,
	HOSTILE_KIND,
	HOSTILE_NAME_WITHOUT_END,
	HOSTILE_NAME_STRANGE,
	HOSTILE_COUNT,
	HOSTILE_SILENCE,
	HOSTILE_END,
};

static void
send_hostile_event(uint32_t kind, const char *name, size_t length, int passed_fd)
{
	struct resolver_event event = { .kind = kind };

	memcpy(event.name, name, length);
	fd_send(RESOLVER_CONTROL_FD, &event, sizeof(event), passed_fd);
}

static void
do_hostile_deed(int deed, int host_fd, const char *nameless)
{
	struct resolver_addresses addresses = { .kind = RESOLVER_EVENT_ADDRESSES,
						.count = UINT16_MAX,
						.name = "api.example.com" };
	static char long_message[8192];

	switch (deed) {
	case HOSTILE_HOST_SOCKET:
		send_hostile_event(RESOLVER_EVENT_SOCKET, "", 0, host_fd);
		return;
	case HOSTILE_STREAM_SOCKET:
		send_hostile_event(RESOLVER_EVENT_SOCKET, "", 0, socket(AF_INET, SOCK_STREAM, 0));
		return;
	case HOSTILE_FILE_PASSED:
		send_hostile_event(RESOLVER_EVENT_SOCKET, "", 0, open(HOSTILE_FILE, O_RDONLY));
		return;
	case HOSTILE_SHORT:
		fd_send(RESOLVER_CONTROL_FD, "abc", 3, -1);
		return;
	case HOSTILE_LONG:
		fd_send(RESOLVER_CONTROL_FD, long_message, sizeof(long_message), -1);
		return;
	case HOSTILE_KIND:
		send_hostile_event(1000, "", 0, -1);
		return;
	case HOSTILE_NAME_WITHOUT_END:
		send_hostile_event(RESOLVER_EVENT_ASK, nameless, NET_NAME_MAX_CHARS + 1, -1);
		return;
	case HOSTILE_NAME_STRANGE:
		send_hostile_event(RESOLVER_EVENT_ASK, "A..\x1b[2J", 8, -1);
		return;
	case HOSTILE_COUNT:
		fd_send(RESOLVER_CONTROL_FD, &addresses, sizeof(addresses), -1);
		return;
	default:
		return;
	}
}

static int
be_hostile_resolver(void)
{
	int host_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd = open(HOSTILE_FILE, O_RDONLY | O_CLOEXEC);
	struct resolver_order order;
	char nameless[NET_NAME_MAX_CHARS + 1];
	int passed_fd = -1;
	char deed = 0;

	memset(nameless, 'a', sizeof(nameless));
	if (host_fd < 0 || read(fd, &deed, 1) != 1 || unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return EXIT_FAILURE;
	send_hostile_event(RESOLVER_EVENT_READY, "", 0, socket(AF_INET, SOCK_DGRAM, 0));
	while (fd_receive(RESOLVER_CONTROL_FD, &order, sizeof(order), 0, &passed_fd) > 0)
		do_hostile_deed(deed, host_fd, nameless);
	return EXIT_SUCCESS;
}

static void
test_hostile_resolver(void **state)
{
	char self[PATH_MAX] = "";
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *beside = NULL;
	char opened[64];

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	directory = path_dirname(self);
	beside = mem_printf("%s/porta-resolver", directory);
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", self_fd);
	assert_int_equal(mount(opened, beside, NULL, MS_BIND, NULL), 0);
	for (int deed = HOSTILE_HOST_SOCKET; deed < HOSTILE_END; deed++) {
		struct error err = ERROR_INIT;
		char text[] = { (char)deed, '\0' };

		assert_true(write_file(HOSTILE_FILE, text));
		setup(NULL);
		assert_true(resolver_client_socket(client, AF_INET, 0, &err) < 0);
		/* It was ended on the spot. */
		assert_int_equal(resolver_pid(), -1);
		if (deed == HOSTILE_SILENCE)
			assert_string_equal(err.message, "porta-resolver does not answer");
		if (deed == HOSTILE_HOST_SOCKET)
			assert_string_equal(err.message, "porta-resolver passed a strange socket");
		assert_int_equal(violations_count(violations), 0);
		teardown(NULL);
	}
	assert_int_equal(umount(beside), 0);
}

/* Where no more namespaces can be made there are no datagrams, but DNS over TCP. */
static void
test_without_namespaces(void **state)
{
	struct error err = ERROR_INIT;
	uint8_t query[512];
	size_t n = make_query("api.example.com", TYPE_A, query + 2);
	_cleanup_fd_ int fd = -1;

	(void)state;
	if (!write_file("/proc/sys/user/max_user_namespaces", "0"))
		skip();
	assert_int_equal(resolver_client_socket(client, AF_INET, 0, &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.message, "a network namespace for it cannot be made"));
	fd = resolver_client_stream(client, &err);
	assert_true(fd >= 0);
	query[0] = 0;
	query[1] = (uint8_t)n;
	assert_int_equal(write(fd, query, n + 2), n + 2);
	await_answer(fd, 3000);
	assert_int_equal(answer_length, (answer[0] << 8 | answer[1]) + 2);
	assert_true(answer_has("203.0.113.5"));
	assert_true(write_file("/proc/sys/user/max_user_namespaces", "100"));
}

/* A socket of the sandbox that does not block, and one of IPv6. */
static void
test_connect_stream(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct error err = ERROR_INIT;
		int flags = i < 2 ? SOCK_NONBLOCK : 0;
		_cleanup_fd_ int fd =
		    socket(families[i % 2], SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

		assert_int_equal(resolver_client_connect_stream(client, fd, &err), 0);
		assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, flags);
		assert_int_equal(resolver_client_connect_stream(client, fd, &err), -EISCONN);
	}
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_admitted),
		TEST(test_refused),
		cmocka_unit_test_teardown(test_denied, teardown),
		TEST(test_private_answers),
		TEST(test_foreign_records),
		TEST(test_servers_in_turn),
		TEST(test_truncated),
		TEST(test_localhost),
		TEST(test_search_domain),
		TEST(test_ipv6),
		TEST(test_hosts),
		TEST(test_socket_is_private),
		TEST(test_stream),
		TEST(test_connect_stream),
		TEST(test_is_server),
		TEST(test_descriptors_in_flight),
		TEST(test_dead_resolver),
		TEST(test_many),
		cmocka_unit_test(test_hostile_resolver),
		TEST(test_without_namespaces),
		cmocka_unit_test(test_resolv_conf),
	};

	if (argc == 1 && str_equal(argv[0], "porta-resolver"))
		return be_hostile_resolver();
	if (!enter_namespaces() || !make_files()) {
		fprintf(stderr, "no user, mount and network namespace, or no porta-resolver: %s\n",
			strerror(errno));
		/* Meson's code for a skipped test. */
		return getenv("PORTA_TEST_MUST_WORK") != NULL ? EXIT_FAILURE : 77;
	}
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
