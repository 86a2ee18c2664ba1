/* The walls around porta-resolver; see confine.h. */
#include "resolver/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "broker/resolver_protocol.h"
#include "util/macros.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#error "porta-resolver: no system call table for this architecture"
#endif

/* Descriptors: the fixed ones, one for each query, clients over TCP, and a few in transit. */
#define OPEN_FILES_MAX (CONFINE_FIRST_FREE_FD + RESOLVER_QUERIES_MAX + 64)
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

static int
limit_resources(void)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_NOFILE, OPEN_FILES_MAX },
		{ RLIMIT_DATA, DATA_MAX_BYTES },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit) < 0)
			return -errno;
		limit.rlim_max = MIN(limit.rlim_max, limits[i].limit);
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i].resource, &limit) < 0)
			return -errno;
	}
	return 0;
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	/* EPERM where there was no namespace: no_new_privs makes the bounding set useless too. */
	for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) == 0;
	     capability++)
		;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0 ||
	    syscall(SYS_capset, &header, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
		return -errno;
	/* After the last change of credentials, since each clears both. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) < 0)
		return -errno;
	return 0;
}

/* landlock(7): every right that an ABI knows is handled, and no rule gives any of them back. */
static int
deny_files(void)
{
	static const struct {
		uint64_t files;
		uint64_t network;
		uint64_t scoped;
	} rights[] = {
		[1] = { (1ULL << 13) - 1, 0, 0 },
		[2] = { (1ULL << 14) - 1, 0, 0 },
		[3] = { (1ULL << 15) - 1, 0, 0 },
		[4] = { (1ULL << 15) - 1, 3, 0 },
		[5] = { (1ULL << 16) - 1, 3, 0 },
		[6] = { (1ULL << 16) - 1, 3, 3 },
	};
	static const size_t lengths[] = { 0, 8, 8, 8, 16, 16, 24 };
	_cleanup_fd_ int ruleset_fd = -1;
	size_t abi;
	long r;

	/* 1 is LANDLOCK_CREATE_RULESET_VERSION. */
	r = syscall(SYS_landlock_create_ruleset, NULL, 0UL, 1U);
	/* Without Landlock the filter still leaves no call that opens anything. */
	if (r < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	abi = MIN((size_t)r, ARRAY_SIZE(rights) - 1);
	ruleset_fd = (int)syscall(SYS_landlock_create_ruleset, &rights[abi], lengths[abi], 0U);
	if (ruleset_fd < 0 || syscall(SYS_landlock_restrict_self, ruleset_fd, 0U) < 0)
		return -errno;
	return 0;
}

/* One argument's condition, on the low half of what the kernel takes as an int; or NULL, both. */
enum check_kind {
	CHECK_NONE,
	CHECK_EQUAL,	/* (argument & mask) == value */
	CHECK_AT_LEAST, /* argument >= value */
	CHECK_NULL,	/* a pointer that is NULL, both halves */
};

struct check {
	enum check_kind kind;
	uint8_t argument;
	uint32_t mask;
	uint32_t value;
};

struct allowed_call {
	int number;
	struct check checks[3];
};

#define EQUAL(argument, value)	      { CHECK_EQUAL, argument, UINT32_MAX, value }
#define MASKED(argument, mask, value) { CHECK_EQUAL, argument, mask, value }
#define AT_LEAST(argument, value)     { CHECK_AT_LEAST, argument, 0, value }
#define IS_NULL(argument)	      { CHECK_NULL, argument, 0, 0 }

/* The two calls at the end are left out where a new socket would be one of the host's. */
static const struct allowed_call allowed_calls[] = {
	{ SYS_ppoll, { { 0 } } },
	{ SYS_recvfrom, { { 0 } } },
	{ SYS_recvmsg, { EQUAL(0, RESOLVER_CONTROL_FD) } },
	{ SYS_sendmsg, { EQUAL(0, RESOLVER_CONTROL_FD) } },
	/* To whom the socket is connected; to another only from the two in the namespace. */
	{ SYS_sendto, { IS_NULL(4) } },
	{ SYS_sendto, { EQUAL(0, CONFINE_UDP_V4_FD) } },
	{ SYS_sendto, { EQUAL(0, CONFINE_UDP_V6_FD) } },
	{ SYS_close, { AT_LEAST(0, CONFINE_FIRST_FREE_FD) } },
	{ SYS_getrandom, { { 0 } } },
	{ SYS_clock_gettime, { { 0 } } },
	{ SYS_brk, { { 0 } } },
	{ SYS_mmap, { MASKED(2, PROT_EXEC, 0), MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS) } },
	{ SYS_mprotect, { MASKED(2, PROT_EXEC, 0) } },
	{ SYS_munmap, { { 0 } } },
	{ SYS_mremap, { { 0 } } },
	{ SYS_madvise, { { 0 } } },
	{ SYS_futex, { { 0 } } },
	{ SYS_rt_sigreturn, { { 0 } } },
	{ SYS_restart_syscall, { { 0 } } },
	{ SYS_exit, { { 0 } } },
	{ SYS_exit_group, { { 0 } } },
#ifdef __SANITIZE_ADDRESS__
	{ SYS_sigaltstack, { { 0 } } }, /* of the sanitizer, before _exit */
#endif
	{ SYS_socket,
	  { EQUAL(0, AF_INET), MASKED(1, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), SOCK_DGRAM),
	    EQUAL(2, 0) } },
	{ SYS_socket,
	  { EQUAL(0, AF_INET6), MASKED(1, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), SOCK_DGRAM),
	    EQUAL(2, 0) } },
};
#define SOCKET_CALLS 2

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (field))
#define ALLOW	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define JUMP(kind, value, if_true, if_false)                                                       \
	BPF_JUMP(BPF_JMP | (kind) | BPF_K, (value), (if_true), (if_false))
#define ARGUMENT_LOW(n) ((uint32_t)offsetof(struct seccomp_data, args[n]))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ARGUMENT_LOW is the first half");

/* The instructions of one call: its number, three checks of three at most, ALLOW. */
#define CALL_INSTRUCTIONS_MAX (2 + 3 * 4 + 1)

struct program {
	struct sock_filter code[4 + ARRAY_SIZE(allowed_calls) * CALL_INSTRUCTIONS_MAX + 1];
	size_t length;
};

static void
emit(struct program *program, struct sock_filter instruction)
{
	program->code[program->length++] = instruction;
}

/* A jump to behind the call's own instructions, set when their end is known. */
#define TO_NEXT_CALL UINT8_MAX

static void
emit_check(struct program *program, const struct check *check)
{
	uint32_t low = ARGUMENT_LOW(check->argument);

	switch (check->kind) {
	case CHECK_NONE:
		return;
	case CHECK_EQUAL:
		emit(program, (struct sock_filter)LOAD(low));
		emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, check->mask));
		emit(program, (struct sock_filter)JUMP(BPF_JEQ, check->value, 0, TO_NEXT_CALL));
		return;
	case CHECK_AT_LEAST:
		emit(program, (struct sock_filter)LOAD(low));
		emit(program, (struct sock_filter)JUMP(BPF_JGE, check->value, 0, TO_NEXT_CALL));
		return;
	case CHECK_NULL:
		emit(program, (struct sock_filter)LOAD(low));
		emit(program, (struct sock_filter)JUMP(BPF_JEQ, 0, 0, TO_NEXT_CALL));
		emit(program, (struct sock_filter)LOAD(low + 4));
		emit(program, (struct sock_filter)JUMP(BPF_JEQ, 0, 0, TO_NEXT_CALL));
		return;
	}
}

static void
emit_call(struct program *program, const struct allowed_call *call)
{
	size_t start = program->length;

	emit(program, (struct sock_filter)LOAD(offsetof(struct seccomp_data, nr)));
	emit(program, (struct sock_filter)JUMP(BPF_JEQ, (uint32_t)call->number, 0, TO_NEXT_CALL));
	for (size_t i = 0; i < ARRAY_SIZE(call->checks); i++)
		emit_check(program, &call->checks[i]);
	emit(program, (struct sock_filter)ALLOW);
	for (size_t i = start; i < program->length; i++) {
		if (program->code[i].jf == TO_NEXT_CALL)
			program->code[i].jf = (uint8_t)(program->length - i - 1);
	}
}

static int
filter_calls(bool with_sockets)
{
	size_t count = ARRAY_SIZE(allowed_calls) - (with_sockets ? 0 : SOCKET_CALLS);
	struct program program = { .length = 0 };
	struct sock_fprog installed;

	/* x32 calls have the same architecture, but numbers that no entry has. */
	emit(&program, (struct sock_filter)LOAD(offsetof(struct seccomp_data, arch)));
	emit(&program, (struct sock_filter)JUMP(BPF_JEQ, NATIVE_ARCH, 1, 0));
	emit(&program, (struct sock_filter)KILL);
	for (size_t i = 0; i < count; i++)
		emit_call(&program, &allowed_calls[i]);
	emit(&program, (struct sock_filter)KILL);
	installed =
	    (struct sock_fprog){ .len = (unsigned short)program.length, .filter = program.code };
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &installed) < 0)
		return -errno;
	return 0;
}

int
confine_process(bool with_sockets, const char **ret_what)
{
	int r;

	*ret_what = "limits of resources";
	r = limit_resources();
	if (r < 0)
		return r;
	*ret_what = "capabilities";
	r = drop_capabilities();
	if (r < 0)
		return r;
	*ret_what = "Landlock";
	r = deny_files();
	if (r < 0)
		return r;
	*ret_what = "seccomp";
	return filter_calls(with_sockets);
}
