/* The walls around porta-resolver; see confine.h. */
#include "resolver/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "broker/resolver_protocol.h"
#include "util/macros.h"
#include "util/os_confine.h"

/*
 * Far more than the fixed ones, one for each query and clients over TCP: the kernel holds against it all
 * descriptors that the user's programs have in flight over unix sockets when one is passed here (ETOOMANYREFS).
 */
#define OPEN_FILES_MAX 4096
_Static_assert(OPEN_FILES_MAX > CONFINE_FIRST_FREE_FD + RESOLVER_QUERIES_MAX + 64, "room for all");
#ifdef __SANITIZE_ADDRESS__
#define DATA_MAX_BYTES RLIM_INFINITY /* its shadow memory counts too */
#else
#define DATA_MAX_BYTES (64UL * 1024 * 1024)
#endif

#define DNS_PORT    53
#define QUEUE_BYTES (1024 * 1024)

static int
bring_loopback_up(void)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return -errno;
	return 0;
}

/* Puts a bound socket at the number `wanted_fd`. */
static int
bind_at(int wanted_fd, const struct sockaddr *address, socklen_t length)
{
	_cleanup_fd_ int fd =
	    socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int queue_bytes = QUEUE_BYTES;

	if (fd < 0 || bind(fd, address, length) < 0)
		return -errno;
	/* As much as the machine's limit lets; less is no error. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof(queue_bytes));
	return dup3(fd, wanted_fd, O_CLOEXEC) < 0 ? -errno : 0;
}

int
confine_enter_namespace(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(DNS_PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(DNS_PORT),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int r;

	/* Both numbers are taken from the start, by /dev/null. */
	if (dup2(STDIN_FILENO, CONFINE_UDP_V4_FD) < 0 || dup2(STDIN_FILENO, CONFINE_UDP_V6_FD) < 0)
		return -errno;
	/* The user namespace needs no id maps: all that is wanted of it is to own the other. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	r = bring_loopback_up();
	if (r < 0)
		return r;
	r = bind_at(CONFINE_UDP_V4_FD, (const struct sockaddr *)&v4, sizeof(v4));
	if (r < 0)
		return r;
	/* A machine without IPv6 has no ::1. The number must still be taken, and be no more than
	 * the other is. */
	if (bind_at(CONFINE_UDP_V6_FD, (const struct sockaddr *)&v6, sizeof(v6)) < 0 &&
	    dup3(CONFINE_UDP_V4_FD, CONFINE_UDP_V6_FD, O_CLOEXEC) < 0)
		return -errno;
	return 0;
}

static const struct confine_limit limits[] = {
	{ RLIMIT_NOFILE, OPEN_FILES_MAX },
	{ RLIMIT_DATA, DATA_MAX_BYTES },
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_FSIZE, 0 },
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 },
};

/* The two calls at the end are left out where a new socket would be one of the host's. */
static const struct confine_call allowed_calls[] = {
	{ SYS_ppoll, { CONFINE_ANY } },
	{ SYS_recvfrom, { CONFINE_ANY } },
	{ SYS_recvmsg, { CONFINE_EQUAL(0, RESOLVER_CONTROL_FD) } },
	{ SYS_sendmsg, { CONFINE_EQUAL(0, RESOLVER_CONTROL_FD) } },
	/* To whom the socket is connected; to another only from the two in the namespace. */
	{ SYS_sendto, { CONFINE_IS_NULL(4) } },
	{ SYS_sendto, { CONFINE_EQUAL(0, CONFINE_UDP_V4_FD) } },
	{ SYS_sendto, { CONFINE_EQUAL(0, CONFINE_UDP_V6_FD) } },
	{ SYS_close, { CONFINE_AT_LEAST(0, CONFINE_FIRST_FREE_FD) } },
	{ SYS_getrandom, { CONFINE_ANY } },
	{ SYS_clock_gettime, { CONFINE_ANY } },
	{ SYS_brk, { CONFINE_ANY } },
	{ SYS_mmap, { CONFINE_MASKED(2, PROT_EXEC, 0), CONFINE_MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS) } },
	{ SYS_mprotect, { CONFINE_MASKED(2, PROT_EXEC, 0) } },
	{ SYS_munmap, { CONFINE_ANY } },
	{ SYS_mremap, { CONFINE_ANY } },
	{ SYS_madvise, { CONFINE_ANY } },
	{ SYS_futex, { CONFINE_ANY } },
	{ SYS_rt_sigreturn, { CONFINE_ANY } },
	{ SYS_restart_syscall, { CONFINE_ANY } },
	{ SYS_exit, { CONFINE_ANY } },
	{ SYS_exit_group, { CONFINE_ANY } },
#ifdef __SANITIZE_ADDRESS__
	{ SYS_sigaltstack, { CONFINE_ANY } }, /* of the sanitizer, before _exit */
#endif
	{ SYS_socket,
	  { CONFINE_EQUAL(0, AF_INET), CONFINE_MASKED(1, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), SOCK_DGRAM),
	    CONFINE_EQUAL(2, 0) } },
	{ SYS_socket,
	  { CONFINE_EQUAL(0, AF_INET6), CONFINE_MASKED(1, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), SOCK_DGRAM),
	    CONFINE_EQUAL(2, 0) } },
};
#define SOCKET_CALLS 2

int
confine_process(bool with_sockets, const char **ret_what)
{
	size_t calls_count = ARRAY_SIZE(allowed_calls) - (with_sockets ? 0 : SOCKET_CALLS);
	int r;

	*ret_what = "limits of resources";
	r = confine_limits(limits, ARRAY_SIZE(limits));
	if (r < 0)
		return r;
	*ret_what = "capabilities";
	r = confine_privileges();
	if (r < 0)
		return r;
	*ret_what = "Landlock";
	r = confine_files(NULL, 0);
	/* Without it the filter still leaves no call that opens anything. */
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	*ret_what = "seccomp";
	return confine_calls(allowed_calls, calls_count, CONFINE_KILL);
}
