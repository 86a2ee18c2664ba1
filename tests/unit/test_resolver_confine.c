/* The walls around porta-resolver, from inside: what one that was taken over could still do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* The program is not part of the library that tests link. */
#include "resolver/confine.c"

/* An upstream socket as the broker passes one: UDP, connected, of the host's namespace. */
#define UPSTREAM_FD CONFINE_FIRST_FREE_FD

static struct sockaddr_in server = { .sin_family = AF_INET };

static struct sockaddr_in
elsewhere(void)
{
	struct sockaddr_in address = server;

	address.sin_port = htons(9);
	return address;
}

/* ---- what it needs ---- */

static bool
try_normal_work(void)
{
	struct pollfd ready = { .fd = UPSTREAM_FD, .events = POLLOUT };
	struct timespec now = { 0, 1000000 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char *memory = malloc(1024 * 1024);

	if (memory == NULL || fd < 0 || close(fd) < 0 || ppoll(&ready, 1, &now, NULL) != 1)
		return false;
	memory[1024] = 1;
	free(memory);
	return send(UPSTREAM_FD, "x", 1, MSG_NOSIGNAL) == 1 &&
	       send(RESOLVER_CONTROL_FD, "x", 1, MSG_NOSIGNAL) == 1 &&
	       clock_gettime(CLOCK_MONOTONIC, &now) == 0;
}

/* ---- what it must not; each returns true if it did it ---- */

static bool
try_open(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool
try_send_elsewhere(void)
{
	struct sockaddr_in address = elsewhere();

	return sendto(UPSTREAM_FD, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) == 1;
}

static bool
try_sendmsg_elsewhere(void)
{
	struct sockaddr_in address = elsewhere();
	struct iovec bytes = { .iov_base = &address, .iov_len = 1 };
	struct msghdr message = { .msg_name = &address,
				  .msg_namelen = sizeof(address),
				  .msg_iov = &bytes,
				  .msg_iovlen = 1 };

	return sendmsg(UPSTREAM_FD, &message, 0) == 1;
}

static bool
try_sendmmsg(void)
{
	struct mmsghdr message = { 0 };

	return sendmmsg(UPSTREAM_FD, &message, 1, 0) == 1;
}

static bool
try_connect_elsewhere(void)
{
	struct sockaddr_in address = elsewhere();

	return connect(UPSTREAM_FD, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* A number from which addresses may be given, for another socket. */
static bool
try_duplicate(void)
{
	return dup2(UPSTREAM_FD, CONFINE_UDP_V4_FD) >= 0;
}

static bool
try_close_fixed(void)
{
	return close(CONFINE_UDP_V4_FD) == 0;
}

static bool
try_fcntl(void)
{
	return fcntl(UPSTREAM_FD, F_DUPFD, 0) >= 0;
}

static bool
try_stream_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) >= 0;
}

static bool
try_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

static bool
try_socket_option(void)
{
	uint8_t route[] = { 1, 3, 0, 0 };

	return setsockopt(UPSTREAM_FD, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)) == 0;
}

static bool
try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) != MAP_FAILED;
}

static bool
try_mapped_file(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0) != MAP_FAILED;
}

static bool
try_make_executable(void)
{
	static uint8_t page[8192];

	return mprotect((void *)(((uintptr_t)page + 4095) & ~4095UL), 4096,
			PROT_READ | PROT_EXEC) == 0;
}

static bool
try_fork(void)
{
	return fork() >= 0;
}

static bool
try_kill(void)
{
	return kill(getppid(), 0) == 0;
}

static bool
try_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

/* x86-64's other numbers, which an allowlist by number alone can let pass. */
static bool
try_x32(void)
{
	return syscall(0x40000000 | SYS_getrandom, NULL, 0, 0) >= 0;
}

/* ---- a process for each ---- */

#define OUTCOME_DID	1
#define OUTCOME_DID_NOT 2
#define OUTCOME_SETUP	3

static void
place(int fd, int number)
{
	if (fd < 0 || (fd != number && dup2(fd, number) < 0))
		_exit(OUTCOME_SETUP);
}

static int
run_confined(bool (*attempt)(void), bool with_sockets)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		const char *what;
		int pair[2];
		int upstream = socket(AF_INET, SOCK_DGRAM, 0);

		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
		    connect(upstream, (struct sockaddr *)&server, sizeof(server)) < 0)
			_exit(OUTCOME_SETUP);
		place(fcntl(pair[0], F_DUPFD, 20), 30);
		place(fcntl(upstream, F_DUPFD, 20), 31);
		place(fcntl(pair[1], F_DUPFD, 20), 32);
		place(open("/dev/null", O_RDWR), STDIN_FILENO);
		if (confine_enter_namespace() < 0 && with_sockets)
			_exit(OUTCOME_SETUP);
		place(30, RESOLVER_CONTROL_FD);
		place(31, UPSTREAM_FD);
		if (confine_process(with_sockets, &what) < 0)
			_exit(OUTCOME_SETUP);
		_exit(attempt() ? OUTCOME_DID : OUTCOME_DID_NOT);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == OUTCOME_SETUP)
		skip();
	return status;
}

static int
group_setup(void **state)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(server);

	(void)state;
	/* Somebody to be connected to. */
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(fd, (struct sockaddr *)&server, sizeof(server)) < 0 ||
	       getsockname(fd, (struct sockaddr *)&server, &length) < 0;
}

static void
test_normal_work(void **state)
{
	int status = run_confined(try_normal_work, true);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), OUTCOME_DID);
}

static void
test_attacks(void **state)
{
	static const struct {
		const char *name;
		bool (*attempt)(void);
	} attacks[] = {
		{ "open", try_open },
		{ "send elsewhere", try_send_elsewhere },
		{ "sendmsg elsewhere", try_sendmsg_elsewhere },
		{ "sendmmsg", try_sendmmsg },
		{ "connect elsewhere", try_connect_elsewhere },
		{ "dup2", try_duplicate },
		{ "close a fixed number", try_close_fixed },
		{ "fcntl", try_fcntl },
		{ "stream socket", try_stream_socket },
		{ "unix socket", try_unix_socket },
		{ "raw socket", try_raw_socket },
		{ "socket option", try_socket_option },
		{ "executable memory", try_executable_memory },
		{ "mapped file", try_mapped_file },
		{ "make executable", try_make_executable },
		{ "fork", try_fork },
		{ "kill", try_kill },
		{ "namespace", try_namespace },
		{ "x32", try_x32 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		int status = run_confined(attacks[i].attempt, true);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %#x", attacks[i].name, (unsigned)status);
	}
}

static bool
try_datagram_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}

/* Without a namespace of its own, a new socket would be one of the host's. */
static void
test_no_sockets_without_namespace(void **state)
{
	int status = run_confined(try_datagram_socket, false);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal_work),
		cmocka_unit_test(test_attacks),
		cmocka_unit_test(test_no_sockets_without_namespace),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
