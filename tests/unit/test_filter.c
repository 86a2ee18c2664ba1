/*
 * The seccomp filter. First the tables themselves, run by an interpreter over all numbers; then
 * each refusal and allowance by really calling, in children that have installed it: as the user
 * that runs the tests and, where that is root, as an ordinary one too. As root each refusal is also
 * shown to be the filter's: the same call without it has another answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "sandbox/linux/filter.h"
#include "util/fd.h"
#include "util/macros.h"

#if defined(__x86_64__)
#define NATIVE_ARCH  AUDIT_ARCH_X86_64
#define FOREIGN_ARCH AUDIT_ARCH_I386
#else
#define NATIVE_ARCH  AUDIT_ARCH_AARCH64
#define FOREIGN_ARCH AUDIT_ARCH_ARM
#endif

#define NUMBERS_MAX   700
#define NEW_NUMBER    440 /* Linux 5.10 ends here */
#define X32_BIT	      0x40000000U
#define ORDINARY_ID   65534
#define HIGH_BITS     0xdeadbeef00000000UL
#define TRAPPED	      EXFULL /* how the tests' broker answers every notification: a rare error */
#define BAD_POINTER   1UL
#define NO_DESCRIPTOR 9999UL

/* --- the tables, interpreted --- */

static uint32_t
run_table(const struct sock_filter *code, const struct seccomp_data *data, unsigned int *ret_steps)
{
	uint32_t accumulator = 0;
	unsigned int steps = 0;

	for (size_t i = 0;; i++) {
		uint32_t k = code[i].k;
		bool holds = false;

		steps++;
		switch (code[i].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&accumulator, (const char *)data + k, sizeof(accumulator));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= k;
			continue;
		case BPF_JMP | BPF_JA:
			i += k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = accumulator == k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = accumulator >= k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = (accumulator & k) != 0;
			break;
		case BPF_RET | BPF_K:
			if (ret_steps != NULL)
				*ret_steps = steps;
			return k;
		default:
			fail_msg("instruction %#x", code[i].code);
		}
		i += holds ? code[i].jt : code[i].jf;
	}
}

static const struct sock_filter *
nth_table(unsigned int n, struct filter_choice *ret_choice)
{
	size_t length;

	ret_choice->tier = SANDBOX_TIER_NAMESPACES + n / 2 / PLAN_FILTER_NETWORK_COUNT;
	ret_choice->network = n / 2 % PLAN_FILTER_NETWORK_COUNT;
	ret_choice->allow_userns = n % 2 != 0;
	return filter_table(ret_choice, &length);
}

#define TABLES (SANDBOX_TIER_PORTS * PLAN_FILTER_NETWORK_COUNT * 2)

static void
test_foreign_calls(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < TABLES; n++) {
		struct filter_choice choice;
		const struct sock_filter *code = nth_table(n, &choice);

		for (uint32_t number = 0; number < NUMBERS_MAX; number++) {
			struct seccomp_data data = { .nr = (int)number, .arch = FOREIGN_ARCH };

			assert_int_equal(run_table(code, &data, NULL), SECCOMP_RET_KILL_PROCESS);
			data.arch = NATIVE_ARCH;
			data.nr = (int)(number | X32_BIT);
			assert_int_equal(run_table(code, &data, NULL), SECCOMP_RET_ERRNO | ENOSYS);
			data.nr = -1 - (int)number;
			assert_int_equal(run_table(code, &data, NULL), SECCOMP_RET_ERRNO | ENOSYS);
			data.nr = (int)(number + 470); /* newer than the rules */
			assert_int_equal(run_table(code, &data, NULL), SECCOMP_RET_ERRNO | ENOSYS);
		}
	}
}

/* A small generator, so that a failure repeats. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33);
}

/* Arguments near those that the table compares with. */
static void
random_arguments(struct seccomp_data *data, const struct sock_filter *code, size_t length,
		 uint64_t *seed)
{
	for (int i = 0; i < 6; i++) {
		uint32_t value = next_random(seed) % 64;

		if (next_random(seed) % 2 == 0)
			value = code[next_random(seed) % length].k;
		if (next_random(seed) % 4 == 0)
			value |= code[next_random(seed) % length].k;
		data->args[i] = value;
	}
}

/* How much an answer lets happen. */
static int
freedom(uint32_t action)
{
	return action == SECCOMP_RET_ALLOW ? 2 : action == SECCOMP_RET_USER_NOTIF ? 1 : 0;
}

/* The upper halves of arguments change nothing, and a stricter choice never allows more. */
static void
test_table_order(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned int n = 0; n < 150000; n++) {
		struct filter_choice choice = { .tier = SANDBOX_TIER_NAMESPACES };
		struct seccomp_data data = { .arch = NATIVE_ARCH };
		uint32_t action[3][PLAN_FILTER_NETWORK_COUNT];
		size_t length;
		const struct sock_filter *code;

		choice.network = PLAN_FILTER_CLOSED;
		code = filter_table(&choice, &length);
		data.nr = (int)(next_random(&seed) % 480);
		random_arguments(&data, code, length, &seed);
		for (int tier = 0; tier < 3; tier++)
			for (int network = 0; network < PLAN_FILTER_NETWORK_COUNT; network++) {
				struct seccomp_data high = data;

				choice.tier = SANDBOX_TIER_NAMESPACES + tier;
				choice.network = network;
				choice.allow_userns = next_random(&seed) % 2 == 0;
				code = filter_table(&choice, &length);
				for (int i = 0; i < 6; i++)
					high.args[i] |= (uint64_t)next_random(&seed) << 32;
				action[tier][network] = run_table(code, &data, NULL);
				assert_int_equal(run_table(code, &high, NULL),
						 action[tier][network]);
				choice.allow_userns = false;
				code = filter_table(&choice, &length);
				assert_true(freedom(action[tier][network]) >=
					    freedom(run_table(code, &data, NULL)));
				action[tier][network] = run_table(code, &data, NULL);
			}
		for (int network = 0; network < PLAN_FILTER_NETWORK_COUNT; network++)
			assert_true(freedom(action[0][network]) >= freedom(action[1][network]));
		for (int tier = 0; tier < 3; tier++) {
			assert_true(freedom(action[tier][PLAN_FILTER_OPEN]) >=
				    freedom(action[tier][PLAN_FILTER_LISTEN]));
			assert_true(freedom(action[tier][PLAN_FILTER_LISTEN]) >=
				    freedom(action[tier][PLAN_FILTER_CLOSED]));
		}
	}
}

/* A read-only open is what programs call most among the calls that run the table. */
static void
test_short_way(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < TABLES; n++) {
		struct filter_choice choice;
		const struct sock_filter *code = nth_table(n, &choice);
		struct seccomp_data data = { .nr = SYS_openat, .arch = NATIVE_ARCH };
		unsigned int steps;
		size_t length;

		data.args[2] = O_RDONLY | O_CLOEXEC;
		assert_int_equal(run_table(code, &data, &steps), SECCOMP_RET_ALLOW);
		assert_true(steps <= 7);
		filter_table(&choice, &length);
		assert_true(length <= 400);
	}
}

/* --- real calls --- */

/* What the children share with the test. */
struct shared {
	int result[512]; /* 0 or an errno */
	int failed_line;
	char directory[64];
};

static struct shared *shared;

/* Answers every notification with TRAPPED until the tree that has the filter is gone. */
static void
answer_notifications(int listener_fd)
{
	for (;;) {
		struct pollfd waiting = { .fd = listener_fd, .events = POLLIN };
		struct seccomp_notif request = { 0 };
		struct seccomp_notif_resp response = { .error = -TRAPPED };

		if (poll(&waiting, 1, -1) < 0 && errno == EINTR)
			continue;
		if (!(waiting.revents & POLLIN))
			return;
		if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			continue;
		response.id = request.id;
		ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static void
install_and_pass(const struct filter_choice *choice, int pass_fd)
{
	int listener_fd = -1;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (filter_install(choice, true, &listener_fd) < 0)
		_exit(99);
	if (listener_fd >= 0 && fd_send(pass_fd, "l", 1, listener_fd) < 0)
		_exit(98);
	fd_close(listener_fd);
}

/* Runs fn in a child under the filter (none: without it); returns its wait status. */
static int
run_inside(const struct filter_choice *choice, uid_t uid, void (*fn)(const struct filter_choice *))
{
	int pair[2];
	int status = 0;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		/* cmocka's handlers would go on with the next test. */
		for (int i = 1; i < NSIG; i++)
			signal(i, SIG_DFL);
		if (uid != geteuid() && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
					 setresuid(uid, uid, uid) < 0))
			_exit(97);
		if (choice != NULL)
			install_and_pass(choice, pair[1]);
		close(pair[0]);
		close(pair[1]);
		fn(choice);
		_exit(0);
	}
	close(pair[1]);
	if (choice != NULL && choice->tier != SANDBOX_TIER_PORTS) {
		_cleanup_fd_ int listener_fd = -1;
		char byte;

		if (fd_receive(pair[0], &byte, 1, 0, &listener_fd) == 1)
			answer_notifications(listener_fd);
	}
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

enum {
	T1 = 1,
	T2 = 2,
	T3 = 4,
	ANY_TIER = 7,
	OPEN = 1,
	LISTEN = 2,
	CLOSED = 4,
	BLOCKED = 8,
	ANY_NET = 15,
	NO_USERNS = 1,
	USERNS = 2,
	EITHER = 3,
};

struct probe {
	const char *name;
	long number;
	int tiers;
	int networks;
	int userns;
	int expected; /* errno, 0 or TRAPPED */
	int ints;     /* bit I: argument I is an int, and its upper half means nothing */
	unsigned long args[6];
	bool only_inside; /* must not be tried without the filter, or has the same answer there */
};

#define SAME true
#define REFUSED(call, expected, ...)                                                               \
	{                                                                                          \
#call, SYS_##call, ANY_TIER, ANY_NET, EITHER, expected, 0, { __VA_ARGS__ }, false  \
	}
#define PROBE(call, tiers, networks, expected, ints, ...)                                          \
	{                                                                                          \
#call, SYS_##call, tiers, networks, EITHER, expected, ints, { __VA_ARGS__ }, false \
	}
#define ALLOWED(call, tiers, networks, expected, ints, ...)                                        \
	{                                                                                          \
#call, SYS_##call, tiers, networks, EITHER, expected, ints, { __VA_ARGS__ }, SAME  \
	}
#define NUMBERED(name, number, expected)                                                           \
	{                                                                                          \
		name, number, ANY_TIER, ANY_NET, EITHER, expected, 0, { NO_DESCRIPTOR }, SAME      \
	}

#define HERE   ((unsigned long)AT_FDCWD)
#define ABSENT ((unsigned long)"absent/absent")
#define SOCK(call, tiers, networks, expected, ...)                                                 \
	PROBE(call, tiers, networks, expected, 7, __VA_ARGS__)
#define SOCK_OK(call, tiers, networks, ...) ALLOWED(call, tiers, networks, 0, 7, __VA_ARGS__)
#define OPT_NO(tiers, networks, level, name)                                                       \
	PROBE(setsockopt, tiers, networks, ENOPROTOOPT, 0x17, NO_DESCRIPTOR, level, name, 0, 0)
#define OPT_OK(level, name)                                                                        \
	ALLOWED(setsockopt, ANY_TIER, ANY_NET, EBADF, 0x17, NO_DESCRIPTOR, level, name, 0, 0)
#define NOT_CLOSED (OPEN | LISTEN | BLOCKED)
#define T23	   (T2 | T3)
#define T12	   (T1 | T2)

/* clang-format off */
static const struct probe probes[] = {
	/* Refused everywhere. The arguments are such that nothing happens even where the call exists. */
	REFUSED(io_uring_setup, ENOSYS, 0, 0), REFUSED(io_uring_enter, ENOSYS, NO_DESCRIPTOR),
	REFUSED(io_uring_register, ENOSYS, NO_DESCRIPTOR), REFUSED(keyctl, ENOSYS, 0, -3L, 0),
	REFUSED(add_key, ENOSYS, BAD_POINTER), REFUSED(request_key, ENOSYS, BAD_POINTER),
	REFUSED(openat2, ENOSYS, HERE, ABSENT, BAD_POINTER, 24), NUMBERED("lookup_dcookie", SYS_lookup_dcookie, ENOSYS),
	REFUSED(bpf, EPERM, 0, BAD_POINTER, 8), REFUSED(perf_event_open, EACCES, BAD_POINTER),
	REFUSED(userfaultfd, EPERM, 0x1000), REFUSED(kexec_load, EPERM, 0, 0, 0, 0xffff0000),
	REFUSED(init_module, EPERM, 0, 0, BAD_POINTER), REFUSED(finit_module, EPERM, NO_DESCRIPTOR),
	REFUSED(delete_module, EPERM, BAD_POINTER), REFUSED(mount, EPERM, 0, BAD_POINTER),
	REFUSED(umount2, EPERM, ABSENT), REFUSED(pivot_root, EPERM, ABSENT, ABSENT),
	REFUSED(open_tree, EPERM, HERE, ABSENT), REFUSED(move_mount, EPERM, HERE, ABSENT, HERE, ABSENT),
	REFUSED(fsopen, EPERM, BAD_POINTER), REFUSED(fsconfig, EPERM, NO_DESCRIPTOR, 99),
	REFUSED(fsmount, EPERM, NO_DESCRIPTOR), REFUSED(fspick, EPERM, HERE, ABSENT),
	REFUSED(mount_setattr, EPERM, HERE, ABSENT), REFUSED(swapon, EPERM, BAD_POINTER),
	REFUSED(swapoff, EPERM, BAD_POINTER), REFUSED(reboot, EPERM, 0, 0, 0),
	REFUSED(sethostname, EPERM, BAD_POINTER, -1L), REFUSED(setdomainname, EPERM, BAD_POINTER, -1L),
	REFUSED(settimeofday, EPERM, BAD_POINTER), REFUSED(clock_settime, EPERM, 0, BAD_POINTER),
	REFUSED(adjtimex, EPERM, BAD_POINTER), REFUSED(clock_adjtime, EPERM, 0, BAD_POINTER),
	REFUSED(acct, EPERM, ABSENT), REFUSED(quotactl, EPERM, -1L), REFUSED(syslog, EPERM, 99),
	REFUSED(open_by_handle_at, EPERM, NO_DESCRIPTOR, BAD_POINTER),
	REFUSED(fanotify_init, EPERM, -1L), REFUSED(fanotify_mark, EPERM, NO_DESCRIPTOR, 0),
	REFUSED(move_pages, EPERM, 0, 0, 0, 0, 0, -1L), REFUSED(migrate_pages, EPERM, 0, -1L),
	{ "vhangup", SYS_vhangup, ANY_TIER, ANY_NET, EITHER, EPERM, 0, { 0 }, SAME },
	NUMBERED("quotactl_fd", 443, EPERM), NUMBERED("open_tree_attr", 467, EPERM),
	NUMBERED("statmount", 457, ENOSYS), NUMBERED("lsm_set_self_attr", 460, ENOSYS),
#if defined(__x86_64__)
	REFUSED(iopl, EPERM, 99), REFUSED(ioperm, EPERM, -1L, 1, 0), REFUSED(modify_ldt, ENOSYS, 0, 0, 0),
	NUMBERED("sysfs", SYS_sysfs, ENOSYS), NUMBERED("ustat", SYS_ustat, ENOSYS),
	NUMBERED("x32 getpid", SYS_getpid | X32_BIT, ENOSYS), NUMBERED("x32 ptrace", 521 | X32_BIT, ENOSYS),
#endif

	/* Namespaces. */
	REFUSED(clone3, ENOSYS, 0, 0), REFUSED(setns, EPERM, NO_DESCRIPTOR, 0),
	{ "chroot", SYS_chroot, ANY_TIER, ANY_NET, NO_USERNS, EPERM, 0, { ABSENT }, false },
	{ "chroot", SYS_chroot, ANY_TIER, ANY_NET, USERNS, ENOENT, 0, { ABSENT }, SAME },
	/* CLONE_SIGHAND without CLONE_VM is EINVAL, so that nothing is made. */
#define CLONE_NO(flag)                                                                                \
	{ "clone", SYS_clone, ANY_TIER, ANY_NET, NO_USERNS, EPERM, 0, { CLONE_SIGHAND | (flag) }, false }, \
	{ "unshare", SYS_unshare, ANY_TIER, ANY_NET, NO_USERNS, EPERM, 0, { 1 | (flag) }, false },    \
	{ "clone", SYS_clone, ANY_TIER, ANY_NET, USERNS, EINVAL, 0, { CLONE_SIGHAND | (flag) }, SAME }, \
	{ "unshare", SYS_unshare, ANY_TIER, ANY_NET, USERNS, EINVAL, 0, { 1 | (flag) }, SAME }
	CLONE_NO(CLONE_NEWUSER), CLONE_NO(CLONE_NEWNS), CLONE_NO(CLONE_NEWPID), CLONE_NO(CLONE_NEWNET),
	CLONE_NO(CLONE_NEWIPC), CLONE_NO(CLONE_NEWUTS), CLONE_NO(CLONE_NEWCGROUP),
	CLONE_NO(CLONE_NEWUSER | CLONE_NEWNS | HIGH_BITS),
	{ "unshare", SYS_unshare, ANY_TIER, ANY_NET, NO_USERNS, EPERM, 0, { 1 | 0x80 }, false },
	ALLOWED(clone, ANY_TIER, ANY_NET, EINVAL, 0, CLONE_SIGHAND),
	ALLOWED(unshare, ANY_TIER, ANY_NET, 0, 0, CLONE_FS | CLONE_FILES),

	/* setuid and setgid. */
	PROBE(openat, ANY_TIER, ANY_NET, EPERM, 0xd, HERE, ABSENT, O_CREAT | O_RDWR, 04755),
	PROBE(openat, ANY_TIER, ANY_NET, EPERM, 0xd, HERE, ABSENT, O_CREAT | O_RDONLY, 02700),
	PROBE(openat, ANY_TIER, ANY_NET, EPERM, 0xd, HERE, ABSENT, O_TMPFILE | O_RDWR, 04755),
	ALLOWED(openat, ANY_TIER, ANY_NET, ENOENT, 0xd, HERE, ABSENT, O_CREAT | O_RDWR, 01755),
	ALLOWED(openat, ANY_TIER, ANY_NET, ENOENT, 0xd, HERE, ABSENT, O_RDWR | O_DIRECTORY, 07777),
	ALLOWED(openat, ANY_TIER, ANY_NET, ENOENT, 0xd, HERE, ABSENT, O_RDONLY, 0xffffffff),
	PROBE(mknodat, ANY_TIER, ANY_NET, EPERM, 5, HERE, ABSENT, S_IFREG | 04755, 0),
	PROBE(mknodat, ANY_TIER, ANY_NET, EPERM, 5, HERE, ABSENT, 02755, 0),
	PROBE(mknodat, ANY_TIER, ANY_NET, EPERM, 5, HERE, ABSENT, S_IFCHR | 0600, 0x103),
	PROBE(mknodat, ANY_TIER, ANY_NET, EPERM, 5, HERE, ABSENT, S_IFBLK | 0600, 0x103),
	ALLOWED(mknodat, ANY_TIER, ANY_NET, ENOENT, 5, HERE, ABSENT, S_IFREG | 0644, 0),
	ALLOWED(mknodat, ANY_TIER, ANY_NET, ENOENT, 5, HERE, ABSENT, S_IFIFO | 0644, 0),
	ALLOWED(mknodat, ANY_TIER, ANY_NET, ENOENT, 5, HERE, ABSENT, S_IFSOCK | 0644, 0),
	ALLOWED(mkdirat, ANY_TIER, ANY_NET, ENOENT, 5, HERE, ABSENT, 07777),
#define MODE_CALLS(call, ints, expected_plain, ...)                                                     \
	PROBE(call, ANY_TIER, ANY_NET, EPERM, ints, __VA_ARGS__, 04755),                                 \
	PROBE(call, ANY_TIER, ANY_NET, EPERM, ints, __VA_ARGS__, 06755),                                 \
	PROBE(call, T1, ANY_NET, TRAPPED, ints, __VA_ARGS__, 02755),                                     \
	PROBE(call, T23, ANY_NET, EPERM, ints, __VA_ARGS__, 02755),                                      \
	PROBE(call, T23, ANY_NET, EPERM, ints, __VA_ARGS__, 0644),                                       \
	ALLOWED(call, T1, ANY_NET, expected_plain, ints, __VA_ARGS__, 01777)
	MODE_CALLS(fchmod, 3, EBADF, NO_DESCRIPTOR), MODE_CALLS(fchmodat, 5, ENOENT, HERE, ABSENT),
	{ "fchmodat2", 452, ANY_TIER, ANY_NET, EITHER, EPERM, 5, { HERE, ABSENT, 04755, 0 }, SAME },
	{ "fchmodat2", 452, T1, ANY_NET, EITHER, TRAPPED, 5, { HERE, ABSENT, 02755, 0 }, SAME },
	{ "fchmodat2", 452, T1, ANY_NET, EITHER, ENOENT, 5, { HERE, ABSENT, 0755, 0 }, SAME },
#if defined(__x86_64__)
	MODE_CALLS(chmod, 2, ENOENT, ABSENT),
	PROBE(open, ANY_TIER, ANY_NET, EPERM, 6, ABSENT, O_CREAT | O_RDWR, 04755),
	PROBE(open, ANY_TIER, ANY_NET, EPERM, 6, ABSENT, O_TMPFILE | O_RDWR, 02755),
	ALLOWED(open, ANY_TIER, ANY_NET, ENOENT, 6, ABSENT, O_RDONLY, 07777),
	PROBE(creat, ANY_TIER, ANY_NET, EPERM, 2, ABSENT, 04755),
	ALLOWED(creat, ANY_TIER, ANY_NET, ENOENT, 2, ABSENT, 0755),
	PROBE(mknod, ANY_TIER, ANY_NET, EPERM, 2, ABSENT, S_IFREG | 04755, 0),
	ALLOWED(mknod, ANY_TIER, ANY_NET, ENOENT, 2, ABSENT, S_IFREG | 0755, 0),
	PROBE(chown, T23, ANY_NET, EPERM, 0, ABSENT, 0, 0), PROBE(lchown, T23, ANY_NET, EPERM, 0, ABSENT, 0, 0),
	PROBE(utime, T23, ANY_NET, EPERM, 0, ABSENT, 0), PROBE(utimes, T23, ANY_NET, EPERM, 0, ABSENT, 0),
	PROBE(futimesat, T23, ANY_NET, EPERM, 0, HERE, ABSENT, 0),
	ALLOWED(chown, T1, ANY_NET, ENOENT, 0, ABSENT, 0, 0),
#endif

	/* Metadata in the lower tiers. */
	PROBE(fchown, T23, ANY_NET, EPERM, 0, NO_DESCRIPTOR, 0, 0),
	PROBE(fchownat, T23, ANY_NET, EPERM, 0, HERE, ABSENT, 0, 0, 0),
	PROBE(utimensat, T23, ANY_NET, EPERM, 0, HERE, ABSENT, 0, 0),
	PROBE(utimensat, T23, ANY_NET, EPERM, 0, NO_DESCRIPTOR, 0, 0, 0),
	PROBE(setxattr, T23, ANY_NET, EOPNOTSUPP, 0, ABSENT, BAD_POINTER, 0, 0, 0),
	PROBE(lsetxattr, T23, ANY_NET, EOPNOTSUPP, 0, ABSENT, BAD_POINTER, 0, 0, 0),
	PROBE(fsetxattr, T23, ANY_NET, EOPNOTSUPP, 0, NO_DESCRIPTOR, BAD_POINTER, 0, 0, 0),
	PROBE(removexattr, T23, ANY_NET, EOPNOTSUPP, 0, ABSENT, BAD_POINTER),
	PROBE(lremovexattr, T23, ANY_NET, EOPNOTSUPP, 0, ABSENT, BAD_POINTER),
	PROBE(fremovexattr, T23, ANY_NET, EOPNOTSUPP, 0, NO_DESCRIPTOR, BAD_POINTER),
	{ "setxattrat", 463, T23, ANY_NET, EITHER, EOPNOTSUPP, 0, { HERE, ABSENT }, SAME },
	{ "removexattrat", 466, T23, ANY_NET, EITHER, EOPNOTSUPP, 0, { HERE, ABSENT }, SAME },
	{ "file_setattr", 469, T23, ANY_NET, EITHER, EOPNOTSUPP, 0, { HERE, ABSENT }, SAME },
	ALLOWED(fchownat, T1, ANY_NET, ENOENT, 0, HERE, ABSENT, 0, 0, 0),
	ALLOWED(setxattr, T1, ANY_NET, EFAULT, 0, ABSENT, BAD_POINTER, 0, 0, 0),
	ALLOWED(fremovexattr, T1, ANY_NET, EBADF, 0, NO_DESCRIPTOR, (unsigned long)"user.absent"),
	ALLOWED(utimensat, T1, ANY_NET, ENOENT, 0, HERE, ABSENT, 0, 0),

	/* Other processes. */
	PROBE(process_vm_readv, T23, ANY_NET, EPERM, 0, 0, 0, 0, 0, 0, 1),
	PROBE(process_vm_writev, T23, ANY_NET, EPERM, 0, 0, 0, 0, 0, 0, 1),
	PROBE(pidfd_getfd, T23, ANY_NET, EPERM, 0, NO_DESCRIPTOR, 0, 0),
	PROBE(process_madvise, T23, ANY_NET, EPERM, 0, NO_DESCRIPTOR, 0, 0, 0, 0),
	PROBE(kcmp, T23, ANY_NET, EPERM, 0, -1L, -1L, 0, 0, 0),
	ALLOWED(pidfd_getfd, T1, ANY_NET, EBADF, 0, NO_DESCRIPTOR, 0, 0),
	ALLOWED(process_vm_readv, T1, ANY_NET, EINVAL, 0, 0, 0, 0, 0, 0, 1),
	PROBE(prlimit64, T23, ANY_NET, EPERM, 3, 99999999, 0, 0, 0),
	ALLOWED(prlimit64, ANY_TIER, ANY_NET, EINVAL, 3, 0, 99, 0, 0),
	ALLOWED(prlimit64, T1, ANY_NET, ESRCH, 3, 99999999, 0, 0, 0),
	PROBE(setpriority, T23, ANY_NET, EPERM, 3, PRIO_PROCESS, 99999999, 0),
	PROBE(setpriority, T23, ANY_NET, EPERM, 3, PRIO_USER, 99999999, 0),
	PROBE(setpriority, T23, ANY_NET, EPERM, 3, PRIO_PGRP, 99999999, 0),
	ALLOWED(setpriority, ANY_TIER, ANY_NET, 0, 7, PRIO_PROCESS, 0, 19),
	ALLOWED(setpriority, T1, ANY_NET, ESRCH, 3, PRIO_PROCESS, 99999999, 0),
	PROBE(sched_setaffinity, T23, ANY_NET, EPERM, 1, 99999999, 0, 0),
	PROBE(sched_setparam, T23, ANY_NET, EPERM, 1, 99999999, BAD_POINTER),
	PROBE(sched_setscheduler, T23, ANY_NET, EPERM, 1, 99999999, 0, BAD_POINTER),
	PROBE(sched_setattr, T23, ANY_NET, EPERM, 1, 99999999, BAD_POINTER, 0),
	ALLOWED(sched_setscheduler, ANY_TIER, ANY_NET, EINVAL, 1, 0, 0, 0),
	PROBE(ioprio_set, T23, ANY_NET, EPERM, 3, 1, 99999999, 0), PROBE(ioprio_set, T23, ANY_NET, EPERM, 3, 3, 99999999, 0),
	ALLOWED(ioprio_set, ANY_TIER, ANY_NET, 0, 7, 1, 0, 0),
	PROBE(shmget, T23, ANY_NET, ENOSYS, 0, 1, 0, 0), PROBE(semget, T23, ANY_NET, ENOSYS, 0, 1, 0, 0),
	PROBE(msgget, T23, ANY_NET, ENOSYS, 0, 99999999, 0), PROBE(shmat, T23, ANY_NET, ENOSYS, 0, -1L, 0, 0),
	PROBE(mq_open, T23, ANY_NET, ENOSYS, 0, BAD_POINTER), PROBE(mq_unlink, T23, ANY_NET, ENOSYS, 0, BAD_POINTER),
	ALLOWED(shmat, T1, ANY_NET, EINVAL, 0, -1L, 0, 0),
	ALLOWED(pidfd_send_signal, ANY_TIER, ANY_NET, EBADF, 0, NO_DESCRIPTOR, 0, 0, 0),

	/* A process's own settings. */
	{ "prctl", SYS_prctl, ANY_TIER, ANY_NET, EITHER, EPERM, 1, { PR_SET_MM, 15 /* PR_SET_MM_MAP_SIZE */, BAD_POINTER, 0, 0 }, false },
	ALLOWED(prctl, ANY_TIER, ANY_NET, 0, 1, PR_SET_DUMPABLE, 1, 0, 0, 0),
	ALLOWED(personality, ANY_TIER, ANY_NET, 0, 1, 0xffffffff),
	ALLOWED(personality, ANY_TIER, ANY_NET, 0, 1, ADDR_NO_RANDOMIZE),
	PROBE(personality, ANY_TIER, ANY_NET, EPERM, 1, READ_IMPLIES_EXEC),
	PROBE(personality, ANY_TIER, ANY_NET, EPERM, 1, MMAP_PAGE_ZERO),
	PROBE(personality, ANY_TIER, ANY_NET, EPERM, 1, 0xfffffffe),
	ALLOWED(personality, ANY_TIER, ANY_NET, 0, 1, 0),

	/* ioctl. */
	PROBE(ioctl, ANY_TIER, ANY_NET, EPERM, 3, NO_DESCRIPTOR, TIOCSTI, 0),
	PROBE(ioctl, ANY_TIER, ANY_NET, EPERM, 3, NO_DESCRIPTOR, TIOCLINUX, 0),
	PROBE(ioctl, ANY_TIER, ANY_NET, EPERM, 3, NO_DESCRIPTOR, TIOCSETD, 0),
	PROBE(ioctl, ANY_TIER, ANY_NET, EPERM, 3, NO_DESCRIPTOR, TIOCEXCL, 0),
	PROBE(ioctl, ANY_TIER, ANY_NET, EPERM, 3, NO_DESCRIPTOR, TCXONC, TCOOFF),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, TCXONC, TCOON),
	PROBE(ioctl, ANY_TIER, ANY_NET, ENOTTY, 3, NO_DESCRIPTOR, 0x50009401, 0), /* BTRFS_IOC_SNAP_CREATE */
	PROBE(ioctl, ANY_TIER, ANY_NET, ENOTTY, 3, NO_DESCRIPTOR, 0x50009417, 0), /* ..._V2 */
	PROBE(ioctl, ANY_TIER, ANY_NET, ENOTTY, 3, NO_DESCRIPTOR, 0x4020bc10, 0), /* BCH_IOCTL_SUBVOLUME_CREATE */
	PROBE(ioctl, ANY_TIER, ANY_NET, ENOTTY, 3, NO_DESCRIPTOR, FS_IOC_REMOVE_ENCRYPTION_KEY, 0),
	PROBE(ioctl, T23, ANY_NET, ENOTTY, 3, NO_DESCRIPTOR, FS_IOC_SETFLAGS, 0),
	PROBE(ioctl, T23, ANY_NET, ENOTTY, 3, NO_DESCRIPTOR, FS_IOC_FSSETXATTR, 0),
	ALLOWED(ioctl, T1, ANY_NET, EBADF, 3, NO_DESCRIPTOR, FS_IOC_SETFLAGS, 0),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, FICLONE, 0),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, FS_IOC_GETFLAGS, 0),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, TCGETS, 0),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, TIOCGPTN, 0),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, FIONREAD, 0),
	ALLOWED(ioctl, ANY_TIER, ANY_NET, EBADF, 3, NO_DESCRIPTOR, 0x8933, 0), /* SIOCGIFINDEX */

	/* Sockets of every kind. */
	SOCK_OK(socket, T12, ANY_NET, AF_UNIX, SOCK_STREAM, 0),
	SOCK_OK(socket, T12, ANY_NET, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	SOCK(socket, T3, ANY_NET, EACCES, AF_UNIX, SOCK_STREAM, 0),
	SOCK(socket, ANY_TIER, ANY_NET, EACCES, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	SOCK(socket, ANY_TIER, ANY_NET, EACCES, AF_UNIX, SOCK_RAW, 0),
	SOCK(socketpair, ANY_TIER, ANY_NET, EACCES, AF_UNIX, SOCK_DGRAM, 0, BAD_POINTER),
	SOCK(socketpair, ANY_TIER, ANY_NET, EACCES, AF_UNIX, SOCK_RAW | SOCK_NONBLOCK, 0, BAD_POINTER),
	{ "socketpair", SYS_socketpair, ANY_TIER, ANY_NET, EITHER, EAFNOSUPPORT, 7,
	  { AF_TIPC, SOCK_STREAM, 0, BAD_POINTER }, SAME },
	ALLOWED(socketpair, ANY_TIER, ANY_NET, EFAULT, 7, AF_UNIX, SOCK_STREAM, 0, BAD_POINTER),
	ALLOWED(socketpair, ANY_TIER, ANY_NET, EFAULT, 7, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, BAD_POINTER),
	SOCK_OK(socket, ANY_TIER, ANY_NET, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
	SOCK(socket, ANY_TIER, ANY_NET, EPROTONOSUPPORT, AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT),
	SOCK(socket, ANY_TIER, ANY_NET, EPROTONOSUPPORT, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG),
	SOCK(socket, ANY_TIER, ANY_NET, EPROTONOSUPPORT, AF_NETLINK, SOCK_DGRAM, NETLINK_AUDIT),
	SOCK_OK(socket, T1, ANY_NET, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	SOCK_OK(socket, ANY_TIER, NOT_CLOSED & ~BLOCKED, AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP),
	SOCK_OK(socket, ANY_TIER, CLOSED, AF_INET, SOCK_STREAM, IPPROTO_TCP),
	SOCK(socket, T23, BLOCKED, EACCES, AF_INET, SOCK_STREAM, 0),
	SOCK(socket, T23, BLOCKED, EACCES, AF_INET6, SOCK_DGRAM, 0),
	{ "socket", SYS_socket, T1, ANY_NET, EITHER, EPROTONOSUPPORT, 7, { AF_INET, SOCK_STREAM, 262 }, SAME }, /* MPTCP */
	{ "socket", SYS_socket, T1, ANY_NET, EITHER, EPROTONOSUPPORT, 7, { AF_INET6, SOCK_STREAM, 132 }, SAME },
	{ "socket", SYS_socket, T1, ANY_NET, EITHER, EPROTONOSUPPORT, 7, { AF_INET, SOCK_SEQPACKET, 132 }, SAME },
	{ "socket", SYS_socket, T1, ANY_NET, EITHER, EPERM, 7, { AF_INET, SOCK_RAW, IPPROTO_RAW }, false },
	{ "socket", SYS_socket, T1, ANY_NET, EITHER, EPROTONOSUPPORT, 7, { AF_INET, SOCK_PACKET, 0x300 }, SAME },
	{ "socket", SYS_socket, T1, ANY_NET, EITHER, EACCES, 7, { AF_INET, SOCK_DGRAM, 136 }, SAME },
	SOCK_OK(socket, T1, NOT_CLOSED, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	SOCK_OK(socket, T2, OPEN | LISTEN, AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	SOCK_OK(socket, T3, OPEN, AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	SOCK(socket, T3, LISTEN, EACCES, AF_INET, SOCK_DGRAM, 0),
	SOCK(socket, T1, CLOSED, TRAPPED, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
	SOCK(socket, T1, CLOSED, TRAPPED, AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	SOCK(socket, T23, CLOSED, EACCES, AF_INET, SOCK_DGRAM, 0),
	{ "socket", SYS_socket, ANY_TIER, CLOSED, EITHER, EACCES, 7, { AF_INET, SOCK_DGRAM, IPPROTO_ICMP }, SAME },
#define FAMILY_NO(family) \
	{ "socket " #family, SYS_socket, ANY_TIER, ANY_NET, EITHER, EAFNOSUPPORT, 7, { family, SOCK_DGRAM, 0 }, SAME }, \
	{ "socket " #family, SYS_socket, ANY_TIER, ANY_NET, EITHER, EAFNOSUPPORT, 7, { family, SOCK_STREAM, 0 }, SAME }
	FAMILY_NO(AF_PACKET), FAMILY_NO(AF_VSOCK), FAMILY_NO(AF_ALG), FAMILY_NO(AF_BLUETOOTH), FAMILY_NO(AF_TIPC),
	FAMILY_NO(44) /* XDP */, FAMILY_NO(43) /* SMC */, FAMILY_NO(AF_CAN), FAMILY_NO(AF_RDS), FAMILY_NO(AF_KCM),
	FAMILY_NO(45) /* MCTP */, FAMILY_NO(AF_KEY), FAMILY_NO(AF_PPPOX), FAMILY_NO(AF_UNSPEC),

	/* Whom they meet. */
	PROBE(connect, T12, ANY_NET, TRAPPED, 5, NO_DESCRIPTOR, BAD_POINTER, 16),
	ALLOWED(connect, T3, ANY_NET, EBADF, 5, NO_DESCRIPTOR, BAD_POINTER, 16),
	PROBE(listen, T12, ANY_NET, TRAPPED, 3, NO_DESCRIPTOR, 1),
	ALLOWED(listen, T3, OPEN, EBADF, 3, NO_DESCRIPTOR, 1),
	PROBE(listen, T3, LISTEN | CLOSED | BLOCKED, EACCES, 3, NO_DESCRIPTOR, 1),
	PROBE(bind, T12, LISTEN | CLOSED, TRAPPED, 5, NO_DESCRIPTOR, BAD_POINTER, 16),
	ALLOWED(bind, T12, OPEN | BLOCKED, EBADF, 5, NO_DESCRIPTOR, BAD_POINTER, 16),
	ALLOWED(bind, T3, ANY_NET, EBADF, 5, NO_DESCRIPTOR, BAD_POINTER, 16),
	PROBE(sendto, ANY_TIER, CLOSED, EOPNOTSUPP, 9, NO_DESCRIPTOR, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL, 0, 0),
	PROBE(sendmsg, ANY_TIER, CLOSED, EOPNOTSUPP, 5, NO_DESCRIPTOR, BAD_POINTER, MSG_FASTOPEN),
	PROBE(sendmmsg, ANY_TIER, CLOSED, EOPNOTSUPP, 9, NO_DESCRIPTOR, BAD_POINTER, 1, MSG_FASTOPEN),
	ALLOWED(sendto, ANY_TIER, ANY_NET, EBADF, 9, NO_DESCRIPTOR, 0, 0, MSG_NOSIGNAL, 0, 0),
	ALLOWED(sendmsg, ANY_TIER, NOT_CLOSED, EBADF, 5, NO_DESCRIPTOR, BAD_POINTER, MSG_FASTOPEN),
	ALLOWED(accept4, ANY_TIER, ANY_NET, EBADF, 9, NO_DESCRIPTOR, 0, 0, 0),

	/* Socket options. */
	OPT_NO(ANY_TIER, ANY_NET, SOL_SOCKET, SO_REUSEPORT), OPT_NO(T23, ANY_NET, SOL_SOCKET, 76),
	PROBE(getsockopt, T23, ANY_NET, ENOPROTOOPT, 7, NO_DESCRIPTOR, SOL_SOCKET, 77, 0, 0),
	ALLOWED(getsockopt, T1, ANY_NET, EBADF, 7, NO_DESCRIPTOR, SOL_SOCKET, 77, 0, 0),
	OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_BINDTODEVICE), OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, 62),
	OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_MARK), OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_ATTACH_FILTER),
	OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_ATTACH_BPF), OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_TXTIME),
	OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF), OPT_NO(ANY_TIER, CLOSED, SOL_SOCKET, SO_DONTROUTE),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_FASTOPEN), OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_FASTOPEN_KEY), OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_ULP), OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_REPAIR),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_MD5SIG), OPT_NO(ANY_TIER, CLOSED, IPPROTO_TCP, TCP_QUEUE_SEQ),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IP, IP_OPTIONS), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IP, IP_FREEBIND),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IP, IP_TRANSPARENT), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IP, IP_UNICAST_IF),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IP, IP_HDRINCL), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IP, 64 /* iptables */),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_RTHDR), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_HOPOPTS),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_DSTOPTS), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_RTHDRDSTOPTS),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_PKTINFO), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_2292PKTOPTIONS),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, 32 /* IPV6_FLOWLABEL_MGR */), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_ADDRFORM),
	OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_FREEBIND), OPT_NO(ANY_TIER, CLOSED, IPPROTO_IPV6, IPV6_UNICAST_IF),
	OPT_NO(ANY_TIER, CLOSED, 284 /* SOL_MPTCP */, 1), OPT_NO(ANY_TIER, CLOSED, 282 /* SOL_TLS */, 1),
	PROBE(setsockopt, T12, OPEN | LISTEN, TRAPPED, 0x17, NO_DESCRIPTOR, SOL_SOCKET, SO_REUSEADDR, 0, 0),
	ALLOWED(setsockopt, T12, CLOSED | BLOCKED, EBADF, 0x17, NO_DESCRIPTOR, SOL_SOCKET, SO_REUSEADDR, 0, 0),
	ALLOWED(setsockopt, T3, ANY_NET, EBADF, 0x17, NO_DESCRIPTOR, SOL_SOCKET, SO_REUSEADDR, 0, 0),
	OPT_OK(SOL_SOCKET, SO_KEEPALIVE), OPT_OK(SOL_SOCKET, SO_SNDTIMEO),
	OPT_OK(SOL_SOCKET, SO_LINGER), OPT_OK(SOL_SOCKET, SO_RCVBUF), OPT_OK(SOL_SOCKET, SO_ZEROCOPY),
	OPT_OK(IPPROTO_TCP, TCP_NODELAY), OPT_OK(IPPROTO_TCP, TCP_KEEPIDLE), OPT_OK(IPPROTO_TCP, TCP_USER_TIMEOUT),
	OPT_OK(IPPROTO_IP, IP_TOS), OPT_OK(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), OPT_OK(IPPROTO_IPV6, IPV6_V6ONLY),
	OPT_OK(IPPROTO_IPV6, IPV6_TCLASS), OPT_OK(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP),
	ALLOWED(setsockopt, T1, NOT_CLOSED, EBADF, 6, NO_DESCRIPTOR, SOL_SOCKET, SO_BINDTODEVICE, 0, 0),
	ALLOWED(getsockopt, ANY_TIER, ANY_NET, EBADF, 6, NO_DESCRIPTOR, SOL_SOCKET, SO_ERROR, 0, 0),
	ALLOWED(getsockopt, ANY_TIER, ANY_NET, EBADF, 6, NO_DESCRIPTOR, IPPROTO_TCP, TCP_INFO, 0, 0),
	ALLOWED(getsockopt, ANY_TIER, NOT_CLOSED, EBADF, 6, NO_DESCRIPTOR, 132, 1, 0, 0),
	{ "getsockopt", SYS_getsockopt, ANY_TIER, CLOSED, EITHER, ENOPROTOOPT, 6, { NO_DESCRIPTOR, 132, 1 }, SAME },
};
/* clang-format on */

static_assert(ARRAY_SIZE(probes) <= ARRAY_SIZE(((struct shared *)NULL)->result), "one result each");

/* Makes the call, with the upper halves of its ints set where `high` says so. */
static int
probe_call(const struct probe *probe, bool high)
{
	unsigned long a[6];
	long result;

	for (int i = 0; i < 6; i++)
		a[i] = probe->args[i] | (high && (probe->ints & (1 << i)) ? HIGH_BITS : 0);
	result = syscall(probe->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (result < 0)
		return errno;
	if (probe->number == SYS_socket)
		close((int)result);
	return 0;
}

static bool
probe_applies(const struct probe *probe, const struct filter_choice *choice)
{
	return (probe->tiers & (1 << (choice->tier - SANDBOX_TIER_NAMESPACES))) != 0 &&
	       (probe->networks & (1 << choice->network)) != 0 &&
	       (probe->userns & (choice->allow_userns ? USERNS : NO_USERNS)) != 0;
}

static void
probe_all(const struct filter_choice *choice)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int plain;

		if (!probe_applies(&probes[i], choice))
			continue;
		plain = probe_call(&probes[i], false);
		shared->result[i] = probe_call(&probes[i], true);
		if (plain != probes[i].expected)
			shared->result[i] = plain;
	}
}

static void
probe_bare(const struct filter_choice *choice)
{
	(void)choice;
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!probes[i].only_inside)
			shared->result[i] = probe_call(&probes[i], false);
}

static void
check_probes(uid_t uid)
{
	for (unsigned int n = 0; n < TABLES; n++) {
		struct filter_choice choice;

		nth_table(n, &choice);
		assert_int_equal(run_inside(&choice, uid, probe_all), 0);
		for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
			const struct probe *probe = &probes[i];

			if (!probe_applies(probe, &choice) || shared->result[i] == probe->expected)
				continue;
			/* What this kernel lacks, it cannot be asked. */
			if (probe->number >= NEW_NUMBER && shared->result[i] == ENOSYS)
				continue;
			fail_msg("tier %d network %d userns %d: %s (probe %zu): %s instead of %s",
				 choice.tier, choice.network, choice.allow_userns, probe->name, i,
				 strerrorname_np(shared->result[i]),
				 strerrorname_np(probe->expected));
		}
	}
}

static void
test_calls(void **state)
{
	(void)state;
	check_probes(geteuid());
	if (geteuid() == 0)
		check_probes(ORDINARY_ID);
}

static void
test_calls_without_filter(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run_inside(NULL, geteuid(), probe_bare), 0);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!probes[i].only_inside && shared->result[i] == probes[i].expected)
			fail_msg("%s (probe %zu): %s without the filter too", probes[i].name, i,
				 strerrorname_np(shared->result[i]));
}

/* --- what takes more than one call; each runs inside and exits with 0 if all is well --- */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			shared->failed_line = __LINE__;                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define CHECK_FAILS(call, code) CHECK((call) < 0 && errno == (code))

static void
check_as(uid_t uid, const struct filter_choice *choice, void (*fn)(const struct filter_choice *))
{
	int status = run_inside(choice, uid, fn);

	if (WIFSIGNALED(status))
		fail_msg("killed by %s", strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		fail_msg("exit code %d, line %d", WEXITSTATUS(status), shared->failed_line);
}

static void
check_inside(enum sandbox_tier tier, enum plan_filter_network network, bool allow_userns,
	     void (*fn)(const struct filter_choice *))
{
	struct filter_choice choice = { tier, network, allow_userns };

	check_as(geteuid(), &choice, fn);
	if (geteuid() == 0)
		check_as(ORDINARY_ID, &choice, fn);
}

static void
make_files(const struct filter_choice *choice)
{
	struct stat st;
	int fd;

	CHECK(chdir(shared->directory) == 0);
	umask(0);
	CHECK(mkdir("directory", 07755) == 0 || errno == EEXIST);
	CHECK(stat("directory", &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) == 0);
	fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	CHECK(fd >= 0);
	CHECK_FAILS(fchmod(fd, 04755), EPERM);
	CHECK_FAILS(fchmod(fd, 02755), choice->tier == SANDBOX_TIER_NAMESPACES ? TRAPPED : EPERM);
	if (choice->tier == SANDBOX_TIER_NAMESPACES) {
		CHECK(fchmod(fd, 0755) == 0 && chmod("file", 0700) == 0);
		CHECK(futimens(fd, NULL) == 0);
		CHECK(fchown(fd, (uid_t)-1, (gid_t)-1) == 0);
	} else {
		CHECK_FAILS(fchmod(fd, 0755), EPERM);
		CHECK_FAILS(futimens(fd, NULL), EPERM);
		CHECK_FAILS(fchown(fd, (uid_t)-1, (gid_t)-1), EPERM);
	}
	CHECK_FAILS(open("other", O_CREAT | O_WRONLY | O_CLOEXEC, 04755), EPERM);
	CHECK_FAILS(mknod("other", S_IFREG | 06755, 0), EPERM);
	CHECK(mkfifo("fifo", 0644) == 0);
	CHECK_FAILS(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 04755), EPERM);
	CHECK(unlink("fifo") == 0 && unlink("file") == 0 && rmdir("directory") == 0);
	CHECK_FAILS(access("other", F_OK), ENOENT);
}

static void
test_files(void **state)
{
	(void)state;
	check_inside(SANDBOX_TIER_NAMESPACES, PLAN_FILTER_OPEN, false, make_files);
	check_inside(SANDBOX_TIER_LANDLOCK, PLAN_FILTER_CLOSED, false, make_files);
	check_inside(SANDBOX_TIER_PORTS, PLAN_FILTER_CLOSED, false, make_files);
}

static int
wait_status(pid_t pid)
{
	int status = -1;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void
make_processes(const struct filter_choice *choice)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *const argv[] = { (char *)(uintptr_t) "true", NULL };

		execv("/bin/true", argv);
		_exit(1);
	}
	CHECK(pid > 0 && wait_status(pid) == 0);
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (!choice->allow_userns)
		CHECK(pid < 0 && errno == EPERM);
	if (pid == 0)
		_exit(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL) < 0 && errno == EPERM &&
			      chroot("/") == 0
			  ? 0
			  : 1);
	if (pid > 0)
		CHECK(wait_status(pid) == 0);
}

static void
test_processes(void **state)
{
	(void)state;
	check_inside(SANDBOX_TIER_NAMESPACES, PLAN_FILTER_OPEN, false, make_processes);
	check_inside(SANDBOX_TIER_NAMESPACES, PLAN_FILTER_OPEN, true, make_processes);
	check_inside(SANDBOX_TIER_LANDLOCK, PLAN_FILTER_CLOSED, false, make_processes);
}

#if defined(__x86_64__)
static void
call_foreign(const struct filter_choice *choice)
{
	long result = 20; /* getpid for i386 */

	(void)choice;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	_exit(1);
}

static void
test_foreign_machine(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < TABLES; n++) {
		struct filter_choice choice;
		int status;

		nth_table(n, &choice);
		status = run_inside(&choice, geteuid(), call_foreign);
		assert_true(WIFSIGNALED(status) &&
			    (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));
	}
}
#endif

/* A filter of the program's own: `action` for call `number`, else allow. */
static long
install_nested(long number, uint32_t action, unsigned long flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static long
try_connect(void)
{
	return syscall(SYS_connect, NO_DESCRIPTOR, BAD_POINTER, 16);
}

static void
nest_filters(const struct filter_choice *choice)
{
	(void)choice;
	/* No listener of its own beside the broker's. */
	CHECK_FAILS(
	    install_nested(SYS_connect, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER),
	    EBUSY);
	CHECK(install_nested(SYS_connect, SECCOMP_RET_ALLOW, 0) == 0);
	CHECK_FAILS(try_connect(), TRAPPED);
	CHECK(install_nested(SYS_connect, SECCOMP_RET_LOG, 0) == 0);
	CHECK_FAILS(try_connect(), TRAPPED);
	CHECK(install_nested(SYS_connect, SECCOMP_RET_TRACE, 0) == 0);
	CHECK_FAILS(try_connect(), TRAPPED);
	CHECK(install_nested(SYS_connect, SECCOMP_RET_USER_NOTIF, 0) == 0);
	CHECK_FAILS(try_connect(), ENOSYS);
	CHECK(install_nested(SYS_connect, SECCOMP_RET_ERRNO | ENOTTY, 0) == 0);
	CHECK_FAILS(try_connect(), ENOTTY);
}

static void
test_nested_filters(void **state)
{
	(void)state;
	check_inside(SANDBOX_TIER_NAMESPACES, PLAN_FILTER_CLOSED, false, nest_filters);
	check_inside(SANDBOX_TIER_LANDLOCK, PLAN_FILTER_OPEN, true, nest_filters);
}

/* Rewrites the number of the call that `pid` has stopped at the entry of. */
static void
set_number(pid_t pid, int number)
{
#if defined(__x86_64__)
	struct user_regs_struct registers;

	CHECK(ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0);
	registers.orig_rax = (unsigned long)number;
	CHECK(ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0);
#else
	struct iovec iov = { .iov_base = &number, .iov_len = sizeof(number) };

	CHECK(ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov) == 0);
#endif
}

/* A tracee calls getppid with the arguments of connect; the tracer makes a connect of it. Returns
 * its errno. */
static int
smuggle_connect(int resume, bool by_own_filter)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		CHECK(!by_own_filter || install_nested(SYS_getppid, SECCOMP_RET_TRACE, 0) == 0);
		syscall(SYS_kill, getpid(), SIGSTOP);
		_exit(syscall(SYS_getppid, NO_DESCRIPTOR, BAD_POINTER, 16) < 0 ? errno : 0);
	}
	status = wait_status(pid);
	CHECK(WIFSTOPPED(status));
	CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0,
		     PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) == 0);
	for (;;) {
		struct __ptrace_syscall_info info = { 0 };

		CHECK(ptrace(resume, pid, 0, 0) == 0);
		status = wait_status(pid);
		CHECK(WIFSTOPPED(status));
		CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op != PTRACE_SYSCALL_INFO_NONE && info.op != PTRACE_SYSCALL_INFO_EXIT &&
		    info.entry.nr == SYS_getppid)
			break;
	}
	set_number(pid, SYS_connect);
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	status = wait_status(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
trace_and_rewrite(const struct filter_choice *choice)
{
	(void)choice;
	CHECK(smuggle_connect(PTRACE_SYSCALL, false) == TRAPPED);
	CHECK(smuggle_connect(PTRACE_CONT, true) == TRAPPED);
	CHECK(smuggle_connect(PTRACE_SYSCALL, true) == TRAPPED);
	/* PTRACE_SYSEMU: the call is not made at all. */
	CHECK(smuggle_connect(31, false) == ENOSYS);
}

static void
bare_rewrite(const struct filter_choice *choice)
{
	(void)choice;
	CHECK(smuggle_connect(PTRACE_SYSCALL, false) == EBADF);
}

static void
test_tracer_rewrites_calls(void **state)
{
	(void)state;
	check_as(geteuid(), NULL, bare_rewrite);
	check_inside(SANDBOX_TIER_NAMESPACES, PLAN_FILTER_OPEN, false, trace_and_rewrite);
	check_inside(SANDBOX_TIER_LANDLOCK, PLAN_FILTER_CLOSED, true, trace_and_rewrite);
}

static int
set_up(void **state)
{
	(void)state;
	shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	snprintf(shared->directory, sizeof(shared->directory), "/tmp/test_filter.XXXXXX");
	if (mkdtemp(shared->directory) == NULL || chmod(shared->directory, 0777) < 0)
		return -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(shared->directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_calls),
		cmocka_unit_test(test_table_order),
		cmocka_unit_test(test_short_way),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_calls_without_filter),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_processes),
#if defined(__x86_64__)
		cmocka_unit_test(test_foreign_machine),
#endif
		cmocka_unit_test(test_nested_filters),
		cmocka_unit_test(test_tracer_rewrites_calls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
