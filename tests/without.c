/*
 * Runs a command on a machine that lacks something, as real ones do:
 *
 *	without WORD[,WORD...] -- COMMAND [ARGS...]
 *
 *	userns		no user namespace can be made (AppArmor, Docker): clone and unshare give EPERM, clone3 ENOSYS
 *	mounts		they can be made, but nothing be done in them (Ubuntu's AppArmor): the mount calls give EACCES
 *	landlock	the kernel has no Landlock
 *	listener	a filter may have no listener: EPERM
 *	busy		a filter around has a listener already: EBUSY by the kernel itself
 *	getfd		no descriptors of other processes (Docker): pidfd_getfd gives EPERM
 *	openat2		not there: ENOSYS
 *	abi=N		Landlock's ABI is told to be N, to this process and not to its children
 *
 * All but the last are seccomp filters, inherited by everything below.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define ERROR(number) RETURN(SECCOMP_RET_ERRNO | (number))
#define LANDLOCK_VERSION_FLAG 1

static void
fail(const char *what)
{
	fprintf(stderr, "without: %s: %s\n", what, strerror(errno));
	exit(99);
}

static long
install(const struct sock_filter *code, size_t length, unsigned long flags)
{
	struct sock_fprog program = { .len = (unsigned short)length,
				      .filter = (struct sock_filter *)(uintptr_t)code };
	long r;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (r < 0)
		fail("seccomp");
	return r;
}

/* One call gets one action. */
static void
refuse(long call, uint32_t action)
{
	const struct sock_filter code[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		RETURN(action),
		RETURN(SECCOMP_RET_ALLOW),
	};

	install(code, sizeof(code) / sizeof(code[0]), 0);
}

/* One call gets it where a bit of an argument's low half is set. */
static void
refuse_bits(long call, unsigned argument, uint32_t bits, uint32_t action)
{
	const struct sock_filter code[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args) + 8 * argument),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
		RETURN(action),
		RETURN(SECCOMP_RET_ALLOW),
	};

	install(code, sizeof(code) / sizeof(code[0]), 0);
}

static void
without_userns(void)
{
	refuse_bits(SYS_clone, 0, CLONE_NEWUSER, SECCOMP_RET_ERRNO | EPERM);
	refuse_bits(SYS_unshare, 0, CLONE_NEWUSER, SECCOMP_RET_ERRNO | EPERM);
	refuse(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
}

static void
without_mounts(void)
{
	static const long calls[] = { SYS_mount, SYS_open_tree, SYS_move_mount, SYS_fsopen,
				      SYS_mount_setattr, SYS_umount2, SYS_pivot_root };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		refuse(calls[i], SECCOMP_RET_ERRNO | EACCES);
}

static void
without_landlock(void)
{
	static const long calls[] = { SYS_landlock_create_ruleset, SYS_landlock_add_rule,
				      SYS_landlock_restrict_self };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		refuse(calls[i], SECCOMP_RET_ERRNO | ENOSYS);
}

/* The listener's descriptor stays open in the command, or the kernel would let there be another. */
static void
with_listener(void)
{
	const struct sock_filter code[] = { RETURN(SECCOMP_RET_ALLOW) };
	long fd = install(code, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);

	if (dup2((int)fd, 200) < 0)
		fail("dup2");
}

static void
take_away(const char *word)
{
	if (strcmp(word, "userns") == 0)
		without_userns();
	else if (strcmp(word, "mounts") == 0)
		without_mounts();
	else if (strcmp(word, "landlock") == 0)
		without_landlock();
	else if (strcmp(word, "listener") == 0)
		refuse_bits(SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_ERRNO | EPERM);
	else if (strcmp(word, "busy") == 0)
		with_listener();
	else if (strcmp(word, "getfd") == 0)
		refuse(SYS_pidfd_getfd, SECCOMP_RET_ERRNO | EPERM);
	else if (strcmp(word, "openat2") == 0)
		refuse(SYS_openat2, SECCOMP_RET_ERRNO | ENOSYS);
	else if (strncmp(word, "abi=", 4) == 0)
		refuse_bits(SYS_landlock_create_ruleset, 2, LANDLOCK_VERSION_FLAG, SECCOMP_RET_TRACE);
	else
		fail(word);
}

#ifdef __x86_64__
/* The call is skipped, and its result is the ABI. */
static void
answer(pid_t pid, int abi)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) < 0)
		return;
	registers.orig_rax = (unsigned long long)-1;
	registers.rax = (unsigned long long)abi;
	ptrace(PTRACE_SETREGS, pid, NULL, &registers);
}
#else
static void
answer(pid_t pid, int abi)
{
	(void)pid;
	(void)abi;
}
#endif

static pid_t traced;

static void
pass_on(int number)
{
	kill(traced, number);
}

/* Passes the command's signals to it and its end on. */
static int
trace(pid_t pid, int abi)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("the command does not stop");
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	while (waitpid(pid, &status, __WALL) == pid) {
		int number = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;

		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
			answer(pid, abi);
			number = 0;
		} else if (number == SIGTRAP) {
			number = 0;
		}
		ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)number);
	}
	return 99;
}

int
main(int argc, char **argv)
{
	const char *abi = argc > 3 ? strstr(argv[1], "abi=") : NULL;
	int abi_number = abi != NULL ? atoi(abi + 4) : 0;
	char *rest = NULL;

	if (argc < 4 || strcmp(argv[2], "--") != 0)
		return 99;
	if (abi != NULL) {
		traced = fork();
		if (traced > 0) {
			signal(SIGTERM, pass_on);
			signal(SIGINT, SIG_IGN);
			return trace(traced, abi_number);
		}
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
	}
	for (char *word = strtok_r(argv[1], ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest))
		take_away(word);
	execvp(argv[3], argv + 3);
	fail(argv[3]);
}
