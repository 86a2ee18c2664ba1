/*
 * inject PID DIRECTORY: makes a process that runs make system calls as if its own code did, and prints what each
 * returned: what a mistake in that code could do. One line for each: NAME and 0 or the error's name; "ended"
 * where the call was the process's end. DIRECTORY holds a file named "there". Attaches by ptrace(2). x86-64
 * alone.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define TEXT_BYTES 512

static pid_t pid;
static struct user_regs_struct saved;
static char saved_text[8];
static char saved_stack[TEXT_BYTES];
static uint64_t stack; /* below what its code uses: a word list there for the calls */

static void
fail(const char *what)
{
	perror(what);
	exit(2);
}

static void
write_memory(uint64_t address, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 8) {
		long word;

		memcpy(&word, (const char *)bytes + i, 8);
		if (ptrace(PTRACE_POKEDATA, pid, (void *)(address + i), (void *)word) < 0)
			fail("poke");
	}
}

static void
read_memory(uint64_t address, void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 8) {
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, pid, (void *)(address + i), NULL);
		if (errno != 0)
			fail("peek");
		memcpy((char *)bytes + i, &word, 8);
	}
}

/* `code` is syscall (0f 05) or int 0x80 (cd 80). */
static long
call_by(uint16_t code, long number, const uint64_t arguments[6])
{
	struct user_regs_struct regs = saved;
	char text[8];
	int status;

	memcpy(text, saved_text, sizeof(text));
	memcpy(text, &code, sizeof(code));
	text[2] = (char)0xcc; /* int3 */
	write_memory(saved.rip, text, sizeof(text));
	regs.rax = (uint64_t)number;
	regs.orig_rax = (uint64_t)-1;
	regs.rdi = arguments[0];
	regs.rsi = arguments[1];
	regs.rdx = arguments[2];
	regs.r10 = arguments[3];
	regs.r8 = arguments[4];
	regs.r9 = arguments[5];
	if (code == 0x80cd)
		regs.rbx = arguments[0], regs.rcx = arguments[1];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0 || ptrace(PTRACE_CONT, pid, NULL, NULL) < 0)
		fail("continue");
	for (;;) {
		if (waitpid(pid, &status, 0) < 0)
			fail("wait");
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			puts("ended");
			exit(0);
		}
		if (WSTOPSIG(status) == SIGTRAP)
			break;
		/* Another signal: not for now. */
		if (ptrace(PTRACE_CONT, pid, NULL, NULL) < 0)
			fail("continue");
	}
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		fail("registers");
	return (long)regs.rax;
}

static void
report(const char *name, long result)
{
	if (result < 0 && result > -4096)
		printf("%s %s\n", name, strerrorname_np((int)-result));
	else
		printf("%s 0\n", name);
	fflush(stdout);
}

static long
call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	const uint64_t arguments[6] = { a, b, c, d, e, f };

	return call_by(0x050f, number, arguments);
}

#define CALL(name, number, ...) report(name, call_of(number, (uint64_t[6]){ __VA_ARGS__ }))

static long
call_of(long number, const uint64_t arguments[6])
{
	return call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		    arguments[5]);
}

/* Puts a text into its memory for the next call. */
static uint64_t
text_at(size_t offset, const char *text)
{
	char bytes[128] = "";

	snprintf(bytes, sizeof(bytes), "%s", text);
	write_memory(stack + offset, bytes, sizeof(bytes));
	return stack + offset;
}

static void
files(const char *directory)
{
	char path[128];

	CALL("read-passwd", SYS_open, text_at(0, "/etc/passwd"), O_RDONLY);
	CALL("read-passwd-at", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, "/etc/passwd"), O_RDONLY);
	CALL("list-root", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, "/"), O_RDONLY | O_DIRECTORY);
	CALL("read-parent", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, "/proc/1/status"), O_RDONLY);
	CALL("write-own-mem", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, "/proc/self/mem"), O_RDWR);
	CALL("open-null", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, "/dev/null"), O_WRONLY);
	snprintf(path, sizeof(path), "%s/made", directory);
	CALL("create", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, path), O_WRONLY | O_CREAT, 0600);
	snprintf(path, sizeof(path), "%s/there", directory);
	CALL("overwrite", SYS_openat, (uint64_t)AT_FDCWD, text_at(0, path), O_WRONLY);
	CALL("truncate", SYS_truncate, text_at(0, path), 0);
	CALL("chmod", SYS_chmod, text_at(0, path), 0777);
	CALL("utime", SYS_utimensat, (uint64_t)AT_FDCWD, text_at(0, path), 0, 0);
	CALL("unlink", SYS_unlink, text_at(0, path));
	CALL("unlinkat", SYS_unlinkat, (uint64_t)AT_FDCWD, text_at(0, path), 0);
	snprintf(path, sizeof(path), "%s/directory", directory);
	CALL("mkdir", SYS_mkdir, text_at(0, path), 0700);
	CALL("mkdirat", SYS_mkdirat, (uint64_t)AT_FDCWD, text_at(0, path), 0700);
	CALL("setxattr", SYS_setxattr, text_at(0, directory), text_at(128, "user.x"), text_at(256, "y"), 1, 0);
}

static void
processes(void)
{
	uint64_t own = (uint64_t)pid;

	CALL("execve", SYS_execve, text_at(0, "/nowhere/missing"), 0, 0);
	CALL("fork", SYS_clone, SIGCHLD | CLONE_VM | 0x80000000UL, 0, 0, 0, 0);
	CALL("clone3", SYS_clone3, 0, 0);
	CALL("kill-init", SYS_kill, 1, 0);
	CALL("kill-everyone", SYS_kill, (uint64_t)-1, 0);
	CALL("kill-tracer", SYS_kill, (uint64_t)getpid(), 0);
	CALL("kill-group", SYS_kill, 0, 0);
	CALL("tgkill", SYS_tgkill, (uint64_t)getpid(), (uint64_t)getpid(), 0);
	CALL("pidfd_open", SYS_pidfd_open, (uint64_t)getpid(), 0);
	CALL("process_vm_readv", SYS_process_vm_readv, own, 0, 0, 0, 0, 0);
	CALL("ptrace", SYS_ptrace, PTRACE_SEIZE, 1, 0, 0);
	CALL("prlimit", SYS_prlimit64, 0, RLIMIT_NOFILE, 0, stack);
	CALL("setpriority", SYS_setpriority, PRIO_PROCESS, 0, 10);
	CALL("setsid", SYS_setsid);
	CALL("setpgid", SYS_setpgid, 0, 0);
	CALL("pdeathsig", SYS_prctl, PR_SET_PDEATHSIG, 0);
	CALL("dumpable", SYS_prctl, PR_SET_DUMPABLE, 1);
	CALL("unshare", SYS_unshare, CLONE_NEWUSER);
	CALL("mount", SYS_mount, 0, 0, 0, 0, 0);
	CALL("setuid", SYS_setuid, 0);
	CALL("keyctl", SYS_keyctl, 0, (uint64_t)-3, 0);
	CALL("bpf", SYS_bpf, 0, 0, 0);
	CALL("perf", SYS_perf_event_open, 0, 0, (uint64_t)-1, (uint64_t)-1, 0);
	CALL("userfaultfd", SYS_userfaultfd, 0);
	CALL("io_uring", SYS_io_uring_setup, 1, 0);
	CALL("memfd", SYS_memfd_create, text_at(0, "x"), 0);
}

static void
network(void)
{
	static const struct {
		const char *name;
		int family;
		int type;
	} sockets[] = {
		{ "socket-inet", AF_INET, SOCK_STREAM },   { "socket-inet6", AF_INET6, SOCK_DGRAM },
		{ "socket-unix", AF_UNIX, SOCK_STREAM },   { "socket-netlink", AF_NETLINK, SOCK_RAW },
		{ "socket-vsock", 40, SOCK_STREAM },
	};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		CALL(sockets[i].name, SYS_socket, (uint64_t)sockets[i].family, (uint64_t)sockets[i].type, 0);
	CALL("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, stack);
	CALL("connect", SYS_connect, 3, stack, 0);
	CALL("recvmsg", SYS_recvmsg, 3, 0, MSG_DONTWAIT);
	CALL("sendto", SYS_sendto, 3, stack, 0, 0, 0, 0);
	CALL("tiocsti", SYS_ioctl, 0, TIOCSTI, text_at(0, "x"));
	CALL("setown", SYS_fcntl, 0, F_SETOWN, 1);
	CALL("lease", SYS_fcntl, 0, F_SETLEASE, F_RDLCK);
}

static void
memory(void)
{
	CALL("mmap-exec", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	     (uint64_t)-1, 0);
	CALL("mmap-exec-write", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	     MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	CALL("mprotect-exec", SYS_mprotect, saved.rsp & ~4095UL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	CALL("pkey_mprotect-exec", SYS_pkey_mprotect, saved.rsp & ~4095UL, 4096,
	     PROT_READ | PROT_WRITE | PROT_EXEC, (uint64_t)-1);
	CALL("personality", SYS_personality, 0x0400000);
}

/* The same calls by other doors: x32 numbers, the 32-bit table, high bits that the kernel ignores. */
static void
other_doors(void)
{
	const uint64_t none[6] = { 0 };
	const uint64_t tiocsti[6] = { 0, TIOCSTI | 1UL << 32, text_at(0, "x") };

	CALL("x32-socket", 0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0);
	report("tiocsti-high", call_by(0x050f, SYS_ioctl, tiocsti));
	/* The last: it may be the end of the process. */
	report("int80-getuid", call_by(0x80cd, 24, none));
}

int
main(int argc, char **argv)
{
	int status;

	if (argc != 3)
		return 2;
	pid = (pid_t)atol(argv[1]);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		fail("attach");
	if (waitpid(pid, &status, 0) < 0 || ptrace(PTRACE_GETREGS, pid, NULL, &saved) < 0)
		fail("stop");
	stack = (saved.rsp - 4096) & ~15UL;
	read_memory(saved.rip, saved_text, sizeof(saved_text));
	read_memory(stack, saved_stack, sizeof(saved_stack));
	files(argv[2]);
	processes();
	network();
	memory();
	other_doors();
	write_memory(stack, saved_stack, sizeof(saved_stack));
	write_memory(saved.rip, saved_text, sizeof(saved_text));
	if (ptrace(PTRACE_SETREGS, pid, NULL, &saved) < 0 || ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0)
		fail("detach");
	return 0;
}
