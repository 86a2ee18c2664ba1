/*
 * broker/door against the real kernel: a child with a small filter of its own makes the trapped
 * calls, the door in this process answers them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "broker/door.h"
#include "util/fd.h"
#include "util/mem.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* In the child: says where it failed, and with which errno. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s, errno %d\n", __LINE__, #condition, errno);   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define CHECK_FAILS(call, error) CHECK((call) < 0 && errno == (error))

struct fixture {
	struct policy policy;
	struct plan plan;
	struct violations *violations;
	char directory[32];
	uint16_t host_port; /* a listener outside the sandbox */
	int host_fd;
};

static int
install_filter(void)
{
	static const int judged[] = { SYS_connect, SYS_bind, SYS_listen, SYS_fchmod };
	struct sock_filter code[2 * ARRAY_SIZE(judged) + 6];
	size_t n = 0;
	struct sock_fprog program = { .filter = code };

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (size_t i = 0; i < ARRAY_SIZE(judged); i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)judged[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, args[2]));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_REUSEADDR, 0, 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(
	    SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
}

static void
stop_at_end(void *data, short revents)
{
	(void)revents;
	loop_stop(data);
}

typedef void scenario_fn(struct fixture *fixture);

static void
child_main(struct fixture *fixture, scenario_fn *scenario, int answer_fd)
{
	int listener_fd = install_filter();

	CHECK(listener_fd >= 0);
	CHECK(fd_send(answer_fd, "", 1, listener_fd) == 0);
	close(listener_fd);
	close(answer_fd);
	scenario(fixture);
	_exit(0);
}

/* Runs `scenario` in the sandbox; its CHECKs must hold. */
static void
run_inside(struct fixture *fixture, scenario_fn *scenario)
{
	struct loop *loop = loop_new();
	struct error err = ERROR_INIT;
	struct door_config config = { .policy = &fixture->policy,
				      .plan = &fixture->plan,
				      .loop = loop,
				      .violations = fixture->violations,
				      .listener_fd = -1 };
	struct door *door = NULL;
	int status = -1;
	int ends[2];
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	config.init_pid = fork();
	if (config.init_pid == 0)
		child_main(fixture, scenario, ends[1]);
	close(ends[1]);
	config.init_pidfd = (int)syscall(SYS_pidfd_open, config.init_pid, 0);
	assert_int_equal(fd_receive(ends[0], &byte, 1, 0, &config.listener_fd), 1);
	close(ends[0]);
	assert_int_equal(door_new(&config, &door, &err), 0);
	loop_watch(loop, config.init_pidfd, POLLIN, stop_at_end, loop);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(waitpid(config.init_pid, &status, 0), config.init_pid);
	loop_unwatch(loop, config.init_pidfd);
	close(config.init_pidfd);
	door_free(door);
	loop_free(loop);
	assert_int_equal(status, 0);
}

static int
listen_on_loopback(uint16_t *ret_port, int backlog)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, backlog) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		return -1;
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int
set_up(void **state)
{
	struct fixture *fixture = MEM_NEW(struct fixture);

	policy_init(&fixture->policy);
	plan_init(&fixture->plan);
	fixture->plan.tier = SANDBOX_TIER_LANDLOCK;
	fixture->plan.filter_network = PLAN_FILTER_CLOSED;
	fixture->policy.net_mode = NET_MODE_RULES;
	fixture->violations = violations_new();
	fixture->host_fd = listen_on_loopback(&fixture->host_port, 4096);
	strcpy(fixture->directory, "/tmp/door.XXXXXX");
	if (mkdtemp(fixture->directory) == NULL || chdir(fixture->directory) < 0)
		return -1;
	*state = fixture;
	return fixture->host_fd >= 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "host.sock", "own", "link", "file", "stale" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(names[i]);
	rmdir("directory");
	unlink("volume/volume.sock");
	rmdir("volume");
	if (chdir("/") < 0 || rmdir(fixture->directory) < 0)
		return -1;
	close(fixture->host_fd);
	violations_free(fixture->violations);
	policy_done(&fixture->policy);
	plan_done(&fixture->plan);
	free(fixture);
	return 0;
}

static void
allow(struct fixture *fixture, const char *fmt, unsigned port)
{
	_cleanup_free_ char *rule = mem_printf(fmt, port);
	struct error err = ERROR_INIT;

	assert_int_equal(net_rules_add(&fixture->policy.allow_net, rule, &err), 0);
}

static int
connect_v4_on(int fd, const char *text, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, text, &address.sin_addr);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int
connect_v4(const char *text, uint16_t port)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect_v4_on(fd, text, port);
}

static int
connect_v6(const char *text, uint16_t port)
{
	_cleanup_fd_ int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, text, &address.sin6_addr);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static void
connects_where_a_rule_admits(struct fixture *fixture)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CHECK(connect_v4("127.0.0.1", fixture->host_port) == 0);
	CHECK(connect_v4("0.0.0.0", fixture->host_port) == 0);
	CHECK(connect_v6("::ffff:127.0.0.1", fixture->host_port) == 0);
	CHECK_FAILS(connect_v4_on(fd, "127.0.0.1", fixture->host_port), EINPROGRESS);
	CHECK_FAILS(connect_v4("127.0.0.1", (uint16_t)(fixture->host_port ^ 1)), ECONNREFUSED);
	CHECK_FAILS(connect_v4("192.0.2.1", 80), EACCES);
	CHECK_FAILS(connect_v6("2001:db8::1", 80), EACCES);
}

static void
test_rule_admits(void **state)
{
	struct fixture *fixture = *state;

	allow(fixture, "127.0.0.1:%u", fixture->host_port);
	run_inside(fixture, connects_where_a_rule_admits);
	assert_int_equal(violations_count(fixture->violations), 2);
}

static void
finds_only_its_own_listener(struct fixture *fixture)
{
	uint16_t port;
	int fd = listen_on_loopback(&port, 8);

	CHECK(fd >= 0);
	CHECK(connect_v4("127.0.0.1", port) == 0);
	CHECK_FAILS(connect_v4("127.0.0.2", port), ECONNREFUSED);
	CHECK_FAILS(connect_v4("127.0.0.1", fixture->host_port), EACCES);
	CHECK_FAILS(connect_v4("0.0.0.0", fixture->host_port), EACCES);
	CHECK_FAILS(connect_v6("::ffff:127.0.0.1", fixture->host_port), EACCES);
	close(fd);
	CHECK_FAILS(connect_v4("127.0.0.1", port), ECONNREFUSED);
}

static void
test_own_listeners(void **state)
{
	struct fixture *fixture = *state;

	allow(fixture, "192.0.2.1:%u", 80);
	run_inside(fixture, finds_only_its_own_listener);
	assert_int_equal(violations_count(fixture->violations), 1);
}

static void
gets_the_kernel_s_errors(struct fixture *fixture)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int file_fd = open("/", O_RDONLY | O_CLOEXEC);
	struct sockaddr_storage address = { .ss_family = AF_INET };
	const struct sockaddr *unreadable = (const struct sockaddr *)8;
	struct sockaddr *readable = (struct sockaddr *)&address;

	(void)fixture;
	CHECK_FAILS(connect(-1, readable, 16), EBADF);
	CHECK_FAILS(connect(file_fd, readable, 16), ENOTSOCK);
	CHECK_FAILS(connect(fd, unreadable, 16), EFAULT);
	CHECK_FAILS(connect(fd, readable, 0), EINVAL);
	CHECK_FAILS(connect(fd, readable, 15), EINVAL);
	CHECK_FAILS(connect(fd, readable, sizeof(address) + 1), EINVAL);
	CHECK_FAILS(connect(fd, readable, (socklen_t)-1), EINVAL);
	address.ss_family = AF_UNIX;
	CHECK_FAILS(connect(fd, readable, 16), EAFNOSUPPORT);
	address.ss_family = AF_UNSPEC;
	CHECK(connect(fd, readable, 16) == 0);
	CHECK_FAILS(listen(file_fd, 1), ENOTSOCK);
	CHECK_FAILS(bind(fd, readable, 2), EAFNOSUPPORT);
}

static void
test_bad_arguments(void **state)
{
	run_inside(*state, gets_the_kernel_s_errors);
}

static void
binds_locally(struct fixture *fixture)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(0xc0000201) };
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	_cleanup_fd_ int v4_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int v6_fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(any);
	char device[16] = "";
	socklen_t device_bytes = sizeof(device);

	(void)fixture;
	CHECK_FAILS(bind(v4_fd, (struct sockaddr *)&address, sizeof(address)), EACCES);
	/* Unbound, it begins to listen on loopback. */
	CHECK(listen(v4_fd, 1) == 0);
	CHECK(getsockopt(v4_fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_bytes) == 0);
	CHECK(strcmp(device, "lo") == 0);
	if (v6_fd < 0 || bind(v6_fd, (struct sockaddr *)&any, n) < 0)
		return;
	CHECK(listen(v6_fd, 1) == 0);
	CHECK(getsockname(v6_fd, (struct sockaddr *)&any, &n) == 0);
	CHECK(connect_v4("127.0.0.1", ntohs(any.sin6_port)) == 0);
	CHECK(connect_v6("::1", ntohs(any.sin6_port)) == 0);
}

static void
test_listening_is_tied_to_loopback(void **state)
{
	struct fixture *fixture = *state;

	allow(fixture, "192.0.2.1:%u", 80);
	run_inside(fixture, binds_locally);
	assert_int_equal(violations_count(fixture->violations), 1);
}

static int
reuses_address(int fd)
{
	int value = -1;
	socklen_t n = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &n) == 0 ? value : -1;
}

static void
streams_alone_reuse_an_address(struct fixture *fixture)
{
	_cleanup_fd_ int stream_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int datagram_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int file_fd = open("/", O_RDONLY | O_CLOEXEC);
	const int *unreadable = (const int *)8;
	int value = 7;

	(void)fixture;
	CHECK(setsockopt(stream_fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) == 0);
	CHECK(reuses_address(stream_fd) == 1);
	CHECK(setsockopt(datagram_fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) == 0);
	CHECK(reuses_address(datagram_fd) == 0);
	CHECK_FAILS(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)), EBADF);
	CHECK_FAILS(setsockopt(file_fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)), ENOTSOCK);
	CHECK_FAILS(setsockopt(datagram_fd, SOL_SOCKET, SO_REUSEADDR, &value, 3), EINVAL);
	CHECK_FAILS(setsockopt(stream_fd, SOL_SOCKET, SO_REUSEADDR, &value, (socklen_t)-1), EINVAL);
	CHECK_FAILS(setsockopt(datagram_fd, SOL_SOCKET, SO_REUSEADDR, unreadable, 4), EFAULT);
	CHECK_FAILS(setsockopt(stream_fd, IPPROTO_TCP, SO_REUSEADDR, &value, sizeof(value)),
		    ENOPROTOOPT);
	value = 0;
	CHECK(setsockopt(stream_fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) == 0);
	CHECK(reuses_address(stream_fd) == 0);
}

static void
test_reusing_an_address(void **state)
{
	run_inside(*state, streams_alone_reuse_an_address);
}

static volatile sig_atomic_t handled;

static void
count_signal(int number)
{
	(void)number;
	handled++;
}

static void
alarm_after_ms(int ms, int flags)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };
	struct itimerval timer = { .it_value.tv_usec = ms * 1000 };

	handled = 0;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* A listener whose backlog is full: loopback's black hole. */
static int
fill_backlog(uint16_t *ret_port)
{
	int fd = listen_on_loopback(ret_port, 0);

	for (int i = 0; i < 3; i++) {
		int filler_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		(void)connect_v4_on(filler_fd, "127.0.0.1", *ret_port);
	}
	return fd;
}

static void
takes_signals_while_it_waits(struct fixture *fixture)
{
	struct timeval limit = { .tv_usec = 100000 };
	uint16_t port;
	int listener_fd = fill_backlog(&port);
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int limited_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t start = loop_now_ns();

	(void)fixture;
	CHECK(listener_fd >= 0);
	CHECK(setsockopt(limited_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	CHECK_FAILS(connect_v4_on(limited_fd, "127.0.0.1", port), EINPROGRESS);
	CHECK(loop_now_ns() - start >= 100000000);
	alarm_after_ms(30, 0);
	CHECK_FAILS(connect_v4_on(fd, "127.0.0.1", port), EINTR);
	CHECK(handled == 1);
	/* The blocking flag is as it was. */
	CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
	/* With SA_RESTART the call goes on, until somebody accepts. */
	alarm_after_ms(30, SA_RESTART);
	if (fork() == 0) {
		struct timespec pause = { .tv_nsec = 200000000 };

		signal(SIGALRM, SIG_DFL);
		alarm(2);
		nanosleep(&pause, NULL);
		for (int i = 0; i < 4; i++)
			(void)accept(listener_fd, NULL, NULL);
		_exit(0);
	}
	CHECK(connect_v4_on(fd, "127.0.0.1", port) == 0);
	CHECK(handled == 1);
}

static void
test_signals(void **state)
{
	allow(*state, "127.0.0.1:1-%u", 65535);
	run_inside(*state, takes_signals_while_it_waits);
}

/* No errno but the kernel's own ever comes out of a storm of signals. */
static void
weathers_a_storm(struct fixture *fixture)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESTART };
	struct itimerval timer = { .it_value.tv_usec = 1000, .it_interval.tv_usec = 700 };
	struct timeval limit = { .tv_usec = 50000 };
	uint16_t port;
	int listener_fd = fill_backlog(&port);

	CHECK(listener_fd >= 0);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	for (int i = 0; i < 500; i++)
		CHECK(connect_v4("127.0.0.1", fixture->host_port) == 0);
	for (int i = 0; i < 5; i++) {
		_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
		CHECK(connect_v4_on(fd, "127.0.0.1", port) < 0 &&
		      (errno == EINTR || errno == EINPROGRESS));
	}
	close(listener_fd);
}

static void
test_signal_storm(void **state)
{
	allow(*state, "127.0.0.1:1-%u", 65535);
	run_inside(*state, weathers_a_storm);
}

static void
dies_while_it_waits(struct fixture *fixture)
{
	uint16_t port;
	int listener_fd = fill_backlog(&port);

	(void)fixture;
	CHECK(listener_fd >= 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		struct timespec pause = { .tv_nsec = i * 1000000L };

		if (pid == 0) {
			(void)connect_v4("127.0.0.1", port);
			_exit(0);
		}
		nanosleep(&pause, NULL);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	CHECK(connect_v4("127.0.0.1", fixture->host_port) == 0);
}

static void
test_killed_callers(void **state)
{
	allow(*state, "127.0.0.1:1-%u", 65535);
	run_inside(*state, dies_while_it_waits);
}

static socklen_t
unix_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path[0] == '@')
		strcpy(address->sun_path + 1, path + 1);
	else
		strcpy(address->sun_path, path);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) +
			   (path[0] != '@'));
}

static int
connect_unix(const char *path)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t n = unix_address(&address, path);

	return connect(fd, (struct sockaddr *)&address, n);
}

static int
listen_unix(const char *path, int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t n = unix_address(&address, path);

	return bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, backlog) < 0 ? -1 : fd;
}

static void
reaches_its_own_unix_sockets(struct fixture *fixture)
{
	struct timeval limit = { .tv_usec = 50000 };
	_cleanup_fd_ int late_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_free_ char *whole = mem_printf("%s/host.sock", fixture->directory);
	struct sockaddr_un address;
	struct stat status;
	int fd;

	CHECK_FAILS(connect_unix("host.sock"), EACCES);
	CHECK_FAILS(connect_unix(whole), EACCES);
	CHECK_FAILS(connect_unix("link"), EACCES);
	CHECK_FAILS(connect_unix("@porta-test-door"), ECONNREFUSED);
	CHECK_FAILS(connect_unix("stale"), ECONNREFUSED);
	CHECK_FAILS(connect_unix("nothing"), ENOENT);
	CHECK_FAILS(connect_unix("/"), ECONNREFUSED);
	CHECK(connect_unix("volume/volume.sock") == 0);
	umask(027);
	fd = listen_unix("own", 0);
	CHECK(fd >= 0);
	CHECK(stat("own", &status) == 0 && (status.st_mode & 0777) == 0750);
	CHECK_FAILS(listen_unix("own", 0), EADDRINUSE);
	CHECK(connect_unix("own") == 0);
	/* Full now: the next one waits. */
	CHECK(setsockopt(late_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	CHECK_FAILS(connect(late_fd, (struct sockaddr *)&address, unix_address(&address, "own")),
		    EAGAIN);
	close(fd);
	CHECK_FAILS(connect_unix("own"), ECONNREFUSED);
	fd = listen_unix("@porta-test-door-inside", 1);
	CHECK(fd >= 0);
	CHECK(connect_unix("@porta-test-door-inside") == 0);
	close(fd);
	CHECK_FAILS(connect_unix("@porta-test-door-inside"), ECONNREFUSED);
}

static void
test_unix_sockets(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ char *volume = mem_printf("%s/volume", fixture->directory);
	int host_fd = listen_unix("host.sock", 8);
	int abstract_fd = listen_unix("@porta-test-door", 8);
	int volume_fd;

	assert_int_equal(mkdir("volume", 0755), 0);
	volume_fd = listen_unix("volume/volume.sock", 8);
	assert_true(host_fd >= 0 && abstract_fd >= 0 && volume_fd >= 0);
	close(listen_unix("stale", 1));
	assert_int_equal(symlink("host.sock", "link"), 0);
	plan_add_mount(&fixture->plan, PLAN_MOUNT_READ_ONLY, volume, "-v volume:ro");
	run_inside(fixture, reaches_its_own_unix_sockets);
	close(host_fd);
	close(abstract_fd);
	close(volume_fd);
}

static void
reaches_what_is_allowed(struct fixture *fixture)
{
	(void)fixture;
	CHECK(connect_unix("host.sock") == 0);
	/* Another file under the allowed name is not what was allowed. */
	CHECK(rename("host.sock", "own") == 0 && connect_unix("own") == 0);
	CHECK(rename("stale", "host.sock") == 0);
	CHECK_FAILS(connect_unix("host.sock"), EACCES);
}

static void
test_allow_unix(void **state)
{
	struct fixture *fixture = *state;
	int host_fd = listen_unix("host.sock", 8);
	int other_fd = listen_unix("stale", 8);

	assert_true(host_fd >= 0 && other_fd >= 0);
	strv_add(&fixture->policy.allow_unix, "host.sock");
	run_inside(fixture, reaches_what_is_allowed);
	close(host_fd);
	close(other_fd);
}

static void
sets_modes(struct fixture *fixture)
{
	_cleanup_fd_ int file_fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	_cleanup_fd_ int directory_fd = -1;
	struct stat status;

	(void)fixture;
	CHECK(mkdir("directory", 0755) == 0);
	directory_fd = open("directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fchmod(directory_fd, 02755) == 0);
	CHECK(fstat(directory_fd, &status) == 0 && (status.st_mode & 07777) == 02755);
	CHECK_FAILS(fchmod(file_fd, 02755), EPERM);
	CHECK_FAILS(fchmod(-1, 02755), EBADF);
}

static void
test_setgid_for_directories_only(void **state)
{
	struct fixture *fixture = *state;

	run_inside(fixture, sets_modes);
	assert_int_equal(violations_count(fixture->violations), 1);
}

static volatile bool swap_done;

static void *
swap_ports(void *data)
{
	volatile struct sockaddr_in *address = data;
	in_port_t ports[2] = { address->sin_port,
			       htons(address->sin_zero[0] << 8 | address->sin_zero[1]) };

	for (unsigned i = 0; !swap_done; i++)
		address->sin_port = ports[i % 2];
	return NULL;
}

/* A second thread changes the port while the door looks: what is judged is what is connected to. */
static void
changes_the_address_meanwhile(struct fixture *fixture)
{
	static struct sockaddr_in shared = { .sin_family = AF_INET };
	uint16_t port;
	int fd = listen_on_loopback(&port, 4096);
	int refused = 0;
	pthread_t thread;

	CHECK(fd >= 0);
	shared.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	shared.sin_port = htons(port);
	shared.sin_zero[0] = (unsigned char)(fixture->host_port >> 8);
	shared.sin_zero[1] = (unsigned char)fixture->host_port;
	CHECK(pthread_create(&thread, NULL, swap_ports, &shared) == 0);
	for (int i = 0; i < 2000; i++) {
		_cleanup_fd_ int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct sockaddr_in peer;
		socklen_t n = sizeof(peer);

		if (connect(socket_fd, (struct sockaddr *)&shared, sizeof(shared)) < 0) {
			CHECK(errno == EACCES);
			refused++;
			continue;
		}
		CHECK(getpeername(socket_fd, (struct sockaddr *)&peer, &n) == 0);
		CHECK(ntohs(peer.sin_port) == port);
	}
	swap_done = true;
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(refused > 0);
}

static void
test_address_changed_by_another_thread(void **state)
{
	allow(*state, "192.0.2.1:%u", 80);
	run_inside(*state, changes_the_address_meanwhile);
}

int
main(void)
{
#define DOOR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		DOOR_TEST(test_rule_admits),
		DOOR_TEST(test_own_listeners),
		DOOR_TEST(test_bad_arguments),
		DOOR_TEST(test_listening_is_tied_to_loopback),
		DOOR_TEST(test_reusing_an_address),
		DOOR_TEST(test_signals),
		DOOR_TEST(test_signal_storm),
		DOOR_TEST(test_killed_callers),
		DOOR_TEST(test_unix_sockets),
		DOOR_TEST(test_allow_unix),
		DOOR_TEST(test_setgid_for_directories_only),
		DOOR_TEST(test_address_changed_by_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
