/* What the command starts with; see descriptors.h. */
#include "sandbox/linux/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/linux/planned_path.h"
#include "util/fd.h"
#include "util/os_linux.h"


/* Whatever was put at the path meanwhile is no more than looked at. */
static int
open_planned(const char *path, int flags, const struct plan_inode *inode)
{
	const int status_flags = O_APPEND | O_NONBLOCK;
	_cleanup_fd_ int fd = planned_path_open(path, flags, inode);

	if (fd < 0)
		return TAKE_FD(fd);
	if (fcntl(fd, F_SETFL, flags & status_flags) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The caller's offset goes in; the new description goes out to the broker, which reads its offset at the end. */
static int
carry_offset(int number, int fd, int return_fd)
{
	off_t offset = lseek(number, 0, SEEK_CUR);

	if (offset < 0 || lseek(fd, offset, SEEK_SET) < 0)
		return -errno;
	return fd_send(return_fd, "", 1, fd);
}

/* Returns a descriptor above 2 that shall become `number`, or -1 where it stays as it is, or a negative errno. */
static int
make_descriptor(const struct plan *plan, int number, int *ret_fd)
{
	const struct plan_stdio *stdio = &plan->stdio[number];
	_cleanup_fd_ int fd = -1;
	const char *path = stdio->path;
	int r;

	switch (stdio->kind) {
	case PLAN_STDIO_KEEP:
		return 0;
	case PLAN_STDIO_PUMP:
		fd = fcntl(stdio->pump_inside_fd, F_DUPFD_CLOEXEC, 3);
		break;
	case PLAN_STDIO_CLOSED:
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		break;
	case PLAN_STDIO_TTY:
		if (plan->tier == SANDBOX_TIER_NAMESPACES)
			path = plan_find_kind(plan, PLAN_MOUNT_CONSOLE)->path;
		_fallthrough_;
	case PLAN_STDIO_REOPEN:
		fd = open_planned(path, stdio->open_flags, &stdio->inode);
		if (fd < 0)
			return TAKE_FD(fd);
		if (stdio->copy_offset) {
			r = carry_offset(number, fd, stdio->pump_inside_fd);
			if (r < 0)
				return r;
		}
		break;
	case PLAN_STDIO_KIND_COUNT:
		return -EINVAL;
	}
	if (fd < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Closes everything from `from` on but `kept`, which is sorted here; negative ones count for nothing. */
static int
close_all_but(unsigned int from, int *kept, size_t count)
{

	for (size_t i = 0; i < count; i++) {
		for (size_t j = i; j > 0 && kept[j - 1] > kept[j]; j--) {
			int lower = kept[j];

			kept[j] = kept[j - 1];
			kept[j - 1] = lower;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < (int)from)
			continue;
		if (kept[i] > (int)from && close_range(from, (unsigned int)kept[i] - 1, 0) < 0)
			return -errno;
		from = (unsigned int)kept[i] + 1;
	}
	return close_range(from, UINT_MAX, 0) < 0 ? -errno : 0;
}

int
descriptors_drop_broker(const struct plan *plan, int control_fd, int host_root_fd)
{
	int kept[] = { control_fd, host_root_fd, plan->cgroup_procs_fd, plan->stdio[0].pump_inside_fd,
		       plan->stdio[1].pump_inside_fd, plan->stdio[2].pump_inside_fd };

	return close_all_but(STDERR_FILENO + 1 + (unsigned int)plan->kept_fds, kept, ARRAY_SIZE(kept));
}

int
descriptors_apply(const struct plan *plan, int kept_fd, struct error *err)
{
	int fds[ARRAY_SIZE(plan->stdio)] = { -1, -1, -1 };
	int r;

	/* All are made before one is put in its place: the caller's offsets are read from the old ones. */
	for (int n = 0; n < (int)ARRAY_SIZE(fds); n++) {
		if (plan->stdio[n].shared_with >= 0)
			continue;
		r = make_descriptor(plan, n, &fds[n]);
		if (r < 0)
			return error_set_errno(err, r, "cannot open descriptor %d (%s) in the sandbox", n,
					       plan->stdio[n].path ? plan->stdio[n].path : "no path");
	}
	for (int n = 0; n < (int)ARRAY_SIZE(fds); n++) {
		int fd = plan->stdio[n].shared_with >= 0 ? plan->stdio[n].shared_with : fds[n];

		if (fd < 0 ? fcntl(n, F_SETFD, 0) < 0 : dup2(fd, n) < 0)
			return error_set_errno(err, -errno, "cannot set descriptor %d", n);
	}
	r = close_all_but(STDERR_FILENO + 1 + (unsigned int)plan->kept_fds, &kept_fd, 1);
	if (r < 0)
		return error_set_errno(err, r, "cannot close porta's own descriptors");
	return 0;
}

int
terminal_take(const struct plan *plan)
{
	sigset_t mask;

	if (setpgid(0, 0) < 0)
		return -errno;
	/* SIGTTOU blocked: the new group is in the background as yet. Where it fails, the broker gives it later. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	if (plan->in_foreground)
		tcsetpgrp(STDIN_FILENO, getpid());
	if (sigprocmask(SIG_SETMASK, &plan->signal_mask, NULL) < 0)
		return -errno;
	return 0;
}

void
descriptors_release(const struct plan *plan)
{
	_cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int n = 0; n < (int)ARRAY_SIZE(plan->stdio); n++) {
		if (null_fd >= 0)
			dup2(null_fd, n);
		fd_close(plan->stdio[n].pump_inside_fd);
	}
	for (int n = 0; n < plan->kept_fds; n++)
		close(STDERR_FILENO + 1 + n);
}
