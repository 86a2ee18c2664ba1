/* What this machine can enforce, found by trying; see machine.h. */
#include "sandbox/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/linux/cgroup.h"
#include "util/fd.h"
#include "util/os_linux.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define SMALL_FILE_MAX_BYTES 65536

/* The kernel looks at the flags before the filter: EFAULT says that it knows them. */
static bool
knows_filter_flags(unsigned long flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

enum machine_namespace
machine_try_namespace(void)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
	int context_fd;

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return MACHINE_NAMESPACE_NO_MOUNTS;
	context_fd = fsopen("proc", FSOPEN_CLOEXEC);
	if (context_fd < 0 || fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
	    fsmount(context_fd, FSMOUNT_CLOEXEC, 0) < 0)
		return MACHINE_NAMESPACE_NO_PROC;
	return MACHINE_NAMESPACE_USABLE;
}

/* "1" in a one-line setting means that it is on; a setting that is not there is off. */
static bool
setting_is(const char *path, const char *value)
{
	_cleanup_free_ char *text = NULL;

	if (fd_read_file_at(AT_FDCWD, path, SMALL_FILE_MAX_BYTES, &text, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return str_equal(text, value);
}

static void
explain_no_namespaces(struct machine *machine, const char *what, int error)
{
	const char *why = what;

	if (setting_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		why = "AppArmor forbids user namespaces to programs without a profile";
	else if (setting_is("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		why = "kernel.unprivileged_userns_clone is 0";
	else if (setting_is("/proc/sys/user/max_user_namespaces", "0"))
		why = "user.max_user_namespaces is 0";
	snprintf(machine->user_namespaces_why, sizeof(machine->user_namespaces_why), "%s (%s)", why,
		 strerror(error));
}

static void
probe_namespaces(struct machine *machine)
{
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int status;

	machine->user_namespaces = false;
	machine->new_proc = false;
	if (pid == 0)
		_exit((int)machine_try_namespace());
	if (pid < 0) {
		explain_no_namespaces(machine, "a user namespace cannot be made", errno);
		return;
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return;
	machine->mount_setattr = WEXITSTATUS(status) != MACHINE_NAMESPACE_NO_MOUNTS;
	machine->new_proc = WEXITSTATUS(status) == MACHINE_NAMESPACE_USABLE;
	machine->user_namespaces = machine->mount_setattr;
	if (!machine->user_namespaces)
		explain_no_namespaces(machine, "nothing can be mounted in a user namespace", EPERM);
}

/* Takes a descriptor of a child, as the broker does of the sandbox's processes. */
static void
probe_access(struct machine *machine)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	int pidfd;
	int taken_fd;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() == parent)
			pause();
		_exit(0);
	}
	machine->pidfd_getfd = machine->ptrace_access = false;
	if (pid < 0)
		return;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	taken_fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	/* EBADF: allowed, but the descriptor 0 is closed. */
	machine->pidfd_getfd = taken_fd >= 0 || errno == EBADF;
	machine->ptrace_access = machine->pidfd_getfd;
	fd_close(taken_fd);
	fd_close(pidfd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Another sandbox around porta, Docker's for one; what it forbids shows only when it is tried. */
static bool
has_outer_filter(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}

/* From 2 on, being an ancestor is not enough; Documentation/admin-guide/LSM/Yama.rst. */
static bool
yama_may_forbid(void)
{
	_cleanup_fd_ int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char scope;

	return fd >= 0 && (read(fd, &scope, 1) != 1 || scope >= '2');
}

/*
 * Whether a filter can have a listener, in a child that gets one. The kernel allows one of all filters of a process,
 * and the outer one may have it already (EBUSY).
 */
static void
probe_listener(struct machine *machine)
{
	struct sock_filter allow = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW };
	struct sock_fprog program = { .len = 1, .filter = &allow };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			      SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		machine->seccomp_listener = false;
}

void
machine_probe_quick(struct machine *ret_machine)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	*ret_machine = (struct machine){
		.uid = geteuid(),
		.gid = getegid(),
		.user_namespaces = true,
		.new_proc = true,
		.dnotify = true,
		.pidfd_getfd = true,
		.ptrace_access = true,
		.landlock_abi = abi > 0 ? (int)abi : 0,
		.seccomp_filter = knows_filter_flags(0),
		.seccomp_listener = knows_filter_flags(SECCOMP_FILTER_FLAG_NEW_LISTENER),
		.seccomp_wait_killable = knows_filter_flags(SECCOMP_FILTER_FLAG_NEW_LISTENER |
							    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
	};
	if (has_outer_filter())
		probe_listener(ret_machine);
	if (has_outer_filter() || yama_may_forbid())
		probe_access(ret_machine);
}

/* Whether porta, started as it is now, could limit memory, tasks and CPUs. */
static void
probe_cgroup(struct machine *machine)
{
	struct policy_limits all = { 0 };
	struct strv settings = STRV_INIT;
	_cleanup_free_ char *path = NULL;
	struct error why = ERROR_INIT;

	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++)
		all.is_set[kind] = true;
	cgroup_add_settings(&all, &settings);
	machine->cgroup_delegated = cgroup_find("/proc/self", &settings, &path, &why) == 0;
	snprintf(machine->cgroup_why, sizeof(machine->cgroup_why), "%s", why.message);
	strv_done(&settings);
}

void
machine_probe_full(struct machine *ret_machine)
{
	int directory_fd;

	machine_probe_quick(ret_machine);
	probe_namespaces(ret_machine);
	probe_access(ret_machine);
	probe_cgroup(ret_machine);
	directory_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret_machine->dnotify =
	    directory_fd >= 0 && fcntl(directory_fd, F_NOTIFY, DN_CREATE) == 0;
	fd_close(directory_fd);
}
