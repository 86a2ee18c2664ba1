/* What this machine can enforce, found by trying; see machine.h. */
#include "sandbox/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

void
machine_probe_quick(struct machine *ret_machine)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	*ret_machine = (struct machine){
		.uid = geteuid(),
		.gid = getegid(),
		.user_namespaces = true,
		.landlock_abi = abi > 0 ? (int)abi : 0,
		.seccomp_filter = knows_filter_flags(0),
		.seccomp_listener = knows_filter_flags(SECCOMP_FILTER_FLAG_NEW_LISTENER),
		.seccomp_wait_killable = knows_filter_flags(SECCOMP_FILTER_FLAG_NEW_LISTENER |
							    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
	};
}

/* What a child in new namespaces found out; its exit status. */
enum namespace_step {
	NAMESPACE_STEP_DONE,
	NAMESPACE_STEP_MOUNT, /* mount_setattr on the tree failed */
	NAMESPACE_STEP_PROC,  /* a new /proc cannot be mounted */
};

static enum namespace_step
try_namespace(void)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
	int context_fd;

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return NAMESPACE_STEP_MOUNT;
	context_fd = fsopen("proc", FSOPEN_CLOEXEC);
	if (context_fd < 0 || fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
	    fsmount(context_fd, FSMOUNT_CLOEXEC, 0) < 0)
		return NAMESPACE_STEP_PROC;
	return NAMESPACE_STEP_DONE;
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
explain_no_namespaces(struct machine *machine, int error)
{
	const char *why = "the kernel refuses to make a user namespace";

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
	if (pid == 0)
		_exit((int)try_namespace());
	if (pid < 0) {
		explain_no_namespaces(machine, errno);
		return;
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return;
	machine->mount_setattr = WEXITSTATUS(status) != NAMESPACE_STEP_MOUNT;
	machine->new_proc = WEXITSTATUS(status) == NAMESPACE_STEP_DONE;
	machine->user_namespaces = machine->mount_setattr;
	if (!machine->user_namespaces)
		explain_no_namespaces(machine, EPERM);
}

/* Takes a descriptor of a child, as the broker does of the sandbox's processes. */
static void
probe_access(struct machine *machine)
{
	pid_t pid = fork();
	int pidfd;
	int taken_fd;

	if (pid == 0) {
		pause();
		_exit(0);
	}
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
