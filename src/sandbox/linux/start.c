/* Starts init in its namespaces; see sandbox.h. The broker's half of the set-up. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/control.h"
#include "sandbox/linux/init.h"
#include "sandbox/sandbox.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/os_linux.h"

#define ID_MAP_MAX_BYTES 4096

static int
write_proc_file(pid_t pid, const char *name, const char *text)
{
	char path[64];
	_cleanup_fd_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fd_write_all(fd, text, strlen(text));
}

/* The identity over every id that is mapped here: "INSIDE OUTSIDE COUNT" lines, user_namespaces(7). */
static char *
identity_map(const char *own_map)
{
	struct strbuf map = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	char *line;
	char *rest;

	if (fd_read_file_at(AT_FDCWD, own_map, ID_MAP_MAX_BYTES, &text, NULL) < 0)
		return NULL;
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		unsigned inside;
		unsigned outside;
		unsigned count;

		if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3)
			strbuf_printf(&map, "%u %u %u\n", inside, inside, count);
	}
	return strbuf_take(&map);
}

/* As root every id is itself inside; without CAP_SETUID and CAP_SETGID (a container) only one's own is. */
static int
write_all_ids(pid_t pid)
{
	_cleanup_free_ char *uids = identity_map("/proc/self/uid_map");
	_cleanup_free_ char *gids = identity_map("/proc/self/gid_map");
	int r;

	if (uids == NULL || gids == NULL)
		return -EPERM;
	r = write_proc_file(pid, "uid_map", uids);
	if (r == 0)
		r = write_proc_file(pid, "gid_map", gids);
	return r;
}

static int
write_own_id(pid_t pid)
{
	char uid_map[32];
	char gid_map[32];
	int r;

	snprintf(uid_map, sizeof(uid_map), "%u %u 1", geteuid(), geteuid());
	snprintf(gid_map, sizeof(gid_map), "%u %u 1", getegid(), getegid());
	r = write_proc_file(pid, "uid_map", uid_map);
	/* CVE-2014-8989: without privilege, a gid map only where setgroups is given up. */
	if (r == 0)
		r = write_proc_file(pid, "setgroups", "deny");
	if (r == 0)
		r = write_proc_file(pid, "gid_map", gid_map);
	return r;
}

static pid_t
clone_init(const struct plan *plan, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	/* Without namespaces it is a plain child; clone3, which a filter around porta may lack, is not needed then. */
	if (plan->tier != SANDBOX_TIER_NAMESPACES) {
		pid = fork();
		if (pid > 0)
			*ret_pidfd = pidfd_open((pid_t)pid, 0);
		return pid < 0 ? -errno : (pid_t)pid;
	}
	if (plan->new_network)
		args.flags |= CLONE_NEWNET;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	*ret_pidfd = pidfd;
	return (pid_t)pid;
}

/* What the broker does for init while that clones its mounts: the id maps, and then the word. */
static int
prepare_init(const struct plan *plan, const struct sandbox *sandbox, struct error *err)
{
	int r;

	if (plan->tier != SANDBOX_TIER_NAMESPACES)
		return 0;
	r = plan->as_root ? write_all_ids(sandbox->init_pid) : -EPERM;
	if (r < 0)
		r = write_own_id(sandbox->init_pid);
	if (r < 0)
		return error_set_errno(err, r, "cannot map the ids of the user namespace");
	/* If init failed already, its own event says why. */
	control_send_go(sandbox->control_fd);
	return 0;
}

/* For good, as clone(2) and user_namespaces(7) have it; not for want of memory or of room for one more process. */
static bool
are_namespaces_refused(int error)
{
	return error == -EPERM || error == -EACCES || error == -ENOSPC || error == -EUSERS ||
	       error == -ENOSYS || error == -EINVAL;
}

/* Init may have ended while it was being prepared, and that is why it could not be: what it said comes first. */
static int
own_words(const struct sandbox *sandbox, int result, struct error *err)
{
	_cleanup_fd_ int passed_fd = -1;
	struct control_event event;

	if (control_receive_event(sandbox->control_fd, &event, &passed_fd) != 1 ||
	    event.kind != CONTROL_EVENT_FAILED)
		return result;
	return error_set(err, event.code, "%s", event.text);
}

int
sandbox_start(const struct plan *plan, struct sandbox *ret_sandbox, struct error *err)
{
	struct sandbox sandbox = { .init_pidfd = -1, .control_fd = -1 };
	_cleanup_fd_ int host_root_fd = -1;
	_cleanup_fd_ int init_fd = -1;
	int r;

	/* Opened here, so that it is of the host's mounts: those of the new namespace become read-only. */
	host_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host_root_fd < 0)
		return error_set_errno(err, -errno, "cannot open the root directory");
	r = control_pair(&sandbox.control_fd, &init_fd);
	if (r < 0)
		return error_set_errno(err, r, "cannot make the control socket");
	sandbox.init_pid = clone_init(plan, &sandbox.init_pidfd);
	if (sandbox.init_pid == 0) {
		fd_close(sandbox.control_fd);
		init_main(plan, init_fd, host_root_fd);
	}
	if (sandbox.init_pid < 0) {
		fd_close(sandbox.control_fd);
		error_set_errno(err, sandbox.init_pid, "cannot make the sandbox's first process");
		return are_namespaces_refused(sandbox.init_pid) ? -EOPNOTSUPP : sandbox.init_pid;
	}
	r = prepare_init(plan, &sandbox, err);
	if (r < 0) {
		kill(sandbox.init_pid, SIGKILL);
		waitpid(sandbox.init_pid, NULL, 0);
		r = own_words(&sandbox, r, err);
		sandbox_done(&sandbox);
		return r;
	}
	*ret_sandbox = sandbox;
	return 0;
}

void
sandbox_done(struct sandbox *sandbox)
{
	fd_close(TAKE_FD(sandbox->init_pidfd));
	fd_close(TAKE_FD(sandbox->control_fd));
}
