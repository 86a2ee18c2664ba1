/* Seccomp user notifications; see notify.h. */
#include "broker/notify.h"

#include "util/os_linux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/strings.h"

/*
 * Linux 6.6. The caller runs at once on this CPU when it is answered: 6.6 µs for the way there and
 * back.
 */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
/* Linux 6.9. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "the audit architecture of this machine is not known here"
#endif

#define MEMORY_PAGE_BYTES 4096

int
notify_init(struct notify *notify, int listener_fd, struct error *err)
{
	struct seccomp_notif_sizes sizes;

	*notify = (struct notify){ .listener_fd = listener_fd };
	for (size_t i = 0; i < NOTIFY_PIDFDS_MAX; i++)
		notify->pidfds[i].fd = -1;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return error_set_errno(err, -errno, "cannot ask seccomp for its sizes");
	notify->notification_bytes = MAX(sizes.seccomp_notif, sizeof(struct seccomp_notif));
	notify->response_bytes = MAX(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
	notify->notification = mem_zalloc(1, notify->notification_bytes);
	notify->response = mem_zalloc(1, notify->response_bytes);
	/* Slower without it (before Linux 6.6), and right all the same. */
	(void)ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return 0;
}

void
notify_done(struct notify *notify)
{
	if (notify == NULL)
		return;
	fd_close(notify->listener_fd);
	notify->listener_fd = -1;
	for (size_t i = 0; i < NOTIFY_PIDFDS_MAX; i++) {
		fd_close(notify->pidfds[i].fd);
		notify->pidfds[i] = (struct notify_pidfd){ .fd = -1 };
	}
	free(TAKE_PTR(notify->notification));
	free(TAKE_PTR(notify->response));
}

int
notify_receive(struct notify *notify, struct notify_request *ret_request)
{
	struct seccomp_notif *notification = notify->notification;

	memset(notification, 0, notify->notification_bytes);
	if (ioctl(notify->listener_fd, SECCOMP_IOCTL_NOTIF_RECV, notification) < 0)
		return -errno;
	if (notification->data.arch != NATIVE_AUDIT_ARCH) {
		notify_answer_error(notify, notification->id, ENOSYS);
		return -ENOSYS;
	}
	ret_request->id = notification->id;
	ret_request->tid = (pid_t)notification->pid;
	ret_request->number = notification->data.nr;
	for (size_t i = 0; i < ARRAY_SIZE(ret_request->args); i++)
		ret_request->args[i] = notification->data.args[i];
	return 0;
}

bool
notify_is_valid(const struct notify *notify, uint64_t id)
{
	return ioctl(notify->listener_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int
notify_read_memory(const struct notify *notify, const struct notify_request *request,
		   uint64_t address, void *bytes, size_t n)
{
	struct iovec local = { .iov_base = bytes, .iov_len = n };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)address, .iov_len = n };
	ssize_t copied = process_vm_readv(request->tid, &local, 1, &remote, 1, 0);
	int error = copied < 0 ? errno : 0;

	if (!notify_is_valid(notify, request->id))
		return -ESRCH;
	if (error == EPERM)
		return -EPERM;
	return copied == (ssize_t)n ? 0 : -EFAULT;
}

int
notify_read_path(const struct notify *notify, const struct notify_request *request,
		 uint64_t address, char *text, size_t n)
{
	size_t used = 0;

	/* Page by page: the path may end just before memory that is not there. */
	while (used < n) {
		size_t rest = MEMORY_PAGE_BYTES - (address + used) % MEMORY_PAGE_BYTES;
		size_t step = MIN(rest, n - used);
		int r = notify_read_memory(notify, request, address + used, text + used, step);

		if (r < 0)
			return r;
		if (memchr(text + used, '\0', step) != NULL)
			return 0;
		used += step;
	}
	return -ENAMETOOLONG;
}

/* The process that a thread belongs to, or a negative errno. */
static pid_t
process_of_thread(pid_t tid)
{
	char path[64];
	_cleanup_free_ char *status = NULL;
	const char *line;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	r = fd_read_file_at(AT_FDCWD, path, 65536, &status, NULL);
	if (r < 0)
		return r;
	line = strstr(status, "\nTgid:");
	return line != NULL ? (pid_t)strtol(line + 6, NULL, 10) : -EPROTO;
}

/* *ret_exact tells whether it is the thread's own, and so never another's that gets the number. */
static int
open_pidfd(pid_t tid, bool *ret_exact)
{
	pid_t pid;
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	*ret_exact = fd >= 0;
	if (fd >= 0 || errno != EINVAL)
		return fd >= 0 ? fd : -errno;
	pid = process_of_thread(tid);
	if (pid < 0)
		return pid;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd >= 0 ? fd : -errno;
}

int
notify_pidfd(struct notify *notify, const struct notify_request *request)
{
	struct notify_pidfd *slot = &notify->pidfds[(size_t)request->tid % NOTIFY_PIDFDS_MAX];
	bool exact;
	int fd;

	if (slot->tid == request->tid && slot->fd >= 0)
		return slot->fd;
	fd = open_pidfd(request->tid, &exact);
	if (fd < 0)
		return fd;
	if (!notify_is_valid(notify, request->id)) {
		fd_close(fd);
		return -ESRCH;
	}
	fd_close(slot->fd);
	*slot = (struct notify_pidfd){ .tid = exact ? request->tid : 0, .fd = fd };
	return fd;
}

/* A handle that was cached for a thread that has died, whose number is another's now. */
static void
forget_pidfd(struct notify *notify, pid_t tid)
{
	struct notify_pidfd *slot = &notify->pidfds[(size_t)tid % NOTIFY_PIDFDS_MAX];

	if (slot->tid != tid)
		return;
	fd_close(slot->fd);
	*slot = (struct notify_pidfd){ .fd = -1 };
}

int
notify_take_fd(struct notify *notify, const struct notify_request *request, int fd, int *ret_fd)
{
	/* Twice: the first handle may be a dead thread's. */
	for (int attempt = 0; attempt < 2; attempt++) {
		int pidfd = notify_pidfd(notify, request);
		int taken;

		if (pidfd < 0)
			return pidfd;
		taken = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (taken >= 0) {
			*ret_fd = taken;
			return 0;
		}
		if (errno != ESRCH)
			return -errno;
		forget_pidfd(notify, request->tid);
	}
	return -ESRCH;
}

static void
send_answer(struct notify *notify, uint64_t id, int64_t value, int error)
{
	struct seccomp_notif_resp *response = notify->response;

	memset(response, 0, notify->response_bytes);
	response->id = id;
	response->val = value;
	response->error = -error;
	/* ENOENT: the caller was killed meanwhile. */
	(void)ioctl(notify->listener_fd, SECCOMP_IOCTL_NOTIF_SEND, response);
}

void
notify_answer_value(struct notify *notify, uint64_t id, int64_t value)
{
	send_answer(notify, id, value, 0);
}

void
notify_answer_error(struct notify *notify, uint64_t id, int error)
{
	send_answer(notify, id, 0, error);
}

void
notify_answer_result(struct notify *notify, uint64_t id, int result)
{
	send_answer(notify, id, 0, -result);
}

void
notify_answer_fd(struct notify *notify, uint64_t id, int fd, bool close_on_exec)
{
	struct seccomp_notif_addfd addition = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = close_on_exec ? O_CLOEXEC : 0,
	};

	/* EMFILE is the caller's own limit; it still waits, and is told. */
	if (ioctl(notify->listener_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &addition) < 0)
		notify_answer_error(notify, id, errno);
}
