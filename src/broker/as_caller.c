/* One call performed as its caller would; see as_caller.h. */
#include "broker/as_caller.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "broker/sock_diag.h"
#include "sandbox/linux/confine.h"
#include "util/fd.h"
#include "util/strings.h"

/* Linux 6.6. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define STATUS_MAX_BYTES 65536
/* How long the broker stands still for a child; a hung file system must not keep it. */
#define ANSWER_WITHIN_MS 1000

/* What the child needs beyond the job, gathered while the caller is known to wait. */
struct preparation {
	const struct as_caller_job *job;
	struct as_caller_credentials credentials;
	bool change_user;
	int root_fd;
	int directory_fd;
	pid_t broker_pid;
};

/* Reads up to `max` numbers of one line; returns how many, or -E2BIG. */
static int
numbers_after(const char *status, const char *label, unsigned *numbers, size_t max)
{
	const char *at = strstr(status, label);
	size_t count = 0;

	if (at == NULL)
		return 0;
	at += strlen(label);
	for (;;) {
		char *end;

		at += strspn(at, " \t");
		if (*at < '0' || *at > '9')
			return (int)count;
		if (count == max)
			return -E2BIG;
		numbers[count++] = (unsigned)strtoul(at, &end, 10);
		at = end;
	}
}

int
as_caller_read_credentials(pid_t tid, struct as_caller_credentials *ret_credentials)
{
	struct as_caller_credentials *credentials = ret_credentials;
	_cleanup_free_ char *status = NULL;
	const char *capabilities;
	const char *umask_line;
	char path[64];
	int groups;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	r = fd_read_file_at(AT_FDCWD, path, STATUS_MAX_BYTES, &status, NULL);
	if (r < 0)
		return r;
	groups = numbers_after(status, "\nGroups:", credentials->groups, AS_CALLER_GROUPS_MAX);
	capabilities = strstr(status, "\nCapEff:");
	umask_line = strstr(status, "\nUmask:");
	if (groups < 0)
		return groups;
	if (numbers_after(status, "\nUid:", credentials->uids, 4) != 4 ||
	    numbers_after(status, "\nGid:", credentials->gids, 4) != 4 || capabilities == NULL ||
	    umask_line == NULL)
		return -ESRCH;
	credentials->groups_count = (size_t)groups;
	credentials->capabilities = strtoull(capabilities + strlen("\nCapEff:"), NULL, 16);
	credentials->umask = (mode_t)strtoul(umask_line + strlen("\nUmask:"), NULL, 8) & 0777;
	return 0;
}

bool
as_caller_is_same_user(const struct as_caller_credentials *credentials)
{
	gid_t groups[AS_CALLER_GROUPS_MAX];
	int count = getgroups(AS_CALLER_GROUPS_MAX, groups);

	for (size_t i = 0; i < ARRAY_SIZE(credentials->uids); i++) {
		if (credentials->uids[i] != geteuid() || credentials->gids[i] != getegid())
			return false;
	}
	return count >= 0 && (size_t)count == credentials->groups_count &&
	       memcmp(groups, credentials->groups, credentials->groups_count * sizeof(gid_t)) == 0;
}

/*
 * Everything that the broker holds is closed in the child but for this: the sandbox must not
 * outlive the broker through it.
 */
static void
close_all_but(const int *kept, size_t count)
{
	unsigned from = 0;

	for (;;) {
		unsigned next = ~0U;

		for (size_t i = 0; i < count; i++) {
			if (kept[i] >= 0 && (unsigned)kept[i] >= from)
				next = MIN(next, (unsigned)kept[i]);
		}
		if (next > from)
			syscall(SYS_close_range, from, next == ~0U ? ~0U : next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

static int
set_capabilities(unsigned long long capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities },
		{ .effective = (uint32_t)(capabilities >> 32),
		  .permitted = (uint32_t)(capabilities >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int
take_credentials(const struct as_caller_credentials *credentials, bool change_user)
{
	const uid_t *uids = credentials->uids;
	const gid_t *gids = credentials->gids;

	if (change_user) {
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
		    syscall(SYS_setgroups, credentials->groups_count, credentials->groups) < 0 ||
		    syscall(SYS_setresgid, gids[0], gids[1], gids[2]) < 0 ||
		    syscall(SYS_setresuid, uids[0], uids[1], uids[2]) < 0)
			return -errno;
		setfsgid(gids[3]);
		setfsuid(uids[3]);
	}
	return set_capabilities(credentials->capabilities);
}

/* Without mounts, Landlock alone says where a socket may be put. */
static int
enter_grants(const struct plan *plan)
{
	struct error err = ERROR_INIT;
	_cleanup_fd_ int ruleset_fd = -1;
	int r = confine_make_ruleset(plan, &ruleset_fd, &err);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r < 0 ? r : confine_landlock(ruleset_fd, &err);
}

/* After this the child sees what the caller sees, with no more rights over it than the caller has. */
static int
become_caller(const struct preparation *preparation)
{
	const struct as_caller_job *job = preparation->job;
	int namespaces = CLONE_NEWUSER;
	int r;

	/* A connect goes to a handle in the broker's own /proc. */
	if (job->action != AS_CALLER_CONNECT)
		namespaces |= CLONE_NEWNS;
	if (job->enter_namespaces && setns(job->caller_pidfd, namespaces) < 0)
		return -errno;
	if (preparation->root_fd >= 0) {
		if (job->enter_namespaces && (fchdir(preparation->root_fd) < 0 || chroot(".") < 0))
			return -errno;
		if (fchdir(preparation->directory_fd) < 0)
			return -errno;
	}
	if (job->enter_namespaces || preparation->change_user) {
		r = take_credentials(&preparation->credentials, preparation->change_user);
		if (r < 0)
			return r;
	}
	if (job->grants_of != NULL) {
		r = enter_grants(job->grants_of);
		if (r < 0)
			return r;
	}
	umask(preparation->credentials.umask);
	/* Each change of credentials above has cleared it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == preparation->broker_pid ? 0 : -ESRCH;
}

static int
change_directory_mode(int fd, mode_t mode, bool through_path)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return errno;
	if (!S_ISDIR(status.st_mode))
		return AS_CALLER_NOT_A_DIRECTORY;
	if (!through_path)
		return fchmod(fd, mode) < 0 ? errno : 0;
	if (syscall(__NR_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS)
		return errno;
	return fchdir(fd) < 0 || chmod(".", mode) < 0 ? errno : 0;
}

static int
perform_chmod(const struct as_caller_job *job)
{
	int flags = O_PATH | O_CLOEXEC | (job->follow ? 0 : O_NOFOLLOW);
	int start_fd = job->handle_fd >= 0 ? job->handle_fd : AT_FDCWD;
	int fd = job->path[0] == '\0' ? job->handle_fd : openat(start_fd, job->path, flags);

	return fd < 0 ? errno : change_directory_mode(fd, job->mode, true);
}

static int
perform(const struct as_caller_job *job)
{
	switch (job->action) {
	case AS_CALLER_BIND:
	case AS_CALLER_CONNECT: {
		const struct sockaddr *address = (const struct sockaddr *)&job->address;
		int r = job->action == AS_CALLER_BIND
			    ? bind(job->socket_fd, address, job->address_bytes)
			    : connect(job->socket_fd, address, job->address_bytes);

		return r < 0 ? errno : 0;
	}
	case AS_CALLER_CHMOD:
		return perform_chmod(job);
	case AS_CALLER_FCHMOD:
		return change_directory_mode(job->handle_fd, job->mode, false);
	case AS_CALLER_OPEN: {
		int fd = open(job->path, O_PATH | O_CLOEXEC);

		return fd < 0 ? errno : -fd_send(job->socket_fd, "", 1, fd);
	}
	}
	return EINVAL;
}

static _noreturn_ void
run_child(const struct preparation *preparation)
{
	const struct as_caller_job *job = preparation->job;
	const int kept[] = { preparation->root_fd, preparation->directory_fd, job->socket_fd,
			     job->handle_fd, job->caller_pidfd };
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_all_but(kept, ARRAY_SIZE(kept));
	r = become_caller(preparation);
	_exit(r < 0 ? -r : perform(job));
}

/*
 * A child whose end sends no signal, so that nobody else reaps it. Returns 0 in the child, or a
 * negative errno.
 */
static pid_t
clone_child(int *ret_pidfd)
{
	int pidfd = -1;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);

	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return pid;
}

static int
open_caller_link(pid_t tid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int
as_caller_start(const struct as_caller_job *job, int *ret_pidfd)
{
	struct preparation preparation = {
		.job = job, .root_fd = -1, .directory_fd = -1, .broker_pid = getpid()
	};
	_cleanup_fd_ int root_fd = -1;
	_cleanup_fd_ int directory_fd = -1;
	pid_t pid;
	int r;

	r = as_caller_read_credentials(job->tid, &preparation.credentials);
	if (r < 0)
		return r;
	preparation.change_user =
	    !as_caller_is_same_user(&preparation.credentials) && geteuid() == 0;
	if (job->action == AS_CALLER_BIND || job->action == AS_CALLER_CHMOD ||
	    job->action == AS_CALLER_OPEN) {
		root_fd = open_caller_link(job->tid, "root");
		directory_fd = open_caller_link(job->tid, "cwd");
		if (root_fd < 0 || directory_fd < 0)
			return root_fd < 0 ? root_fd : directory_fd;
		preparation.root_fd = root_fd;
		preparation.directory_fd = directory_fd;
		if (job->action != AS_CALLER_CHMOD && job->handle_fd >= 0)
			preparation.directory_fd = job->handle_fd;
	}
	pid = clone_child(ret_pidfd);
	if (pid == 0)
		run_child(&preparation);
	return pid < 0 ? pid : 0;
}

int
as_caller_result(int pidfd)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0)
		return errno;
	return info.si_code == CLD_EXITED ? info.si_status : EINTR;
}

void
as_caller_kill(int pidfd)
{
	if (pidfd < 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	(void)as_caller_result(pidfd);
	fd_close(pidfd);
}

/* Receives the one descriptor that a child sends before it ends; takes the pidfd and answer_fd. */
static int
receive_from_child(int pidfd, int answer_fd)
{
	struct pollfd polled = { .fd = answer_fd, .events = POLLIN };
	int fd = -1;
	char byte;
	int error;

	if (poll(&polled, 1, ANSWER_WITHIN_MS) <= 0) {
		as_caller_kill(pidfd);
		fd_close(answer_fd);
		return -ETIMEDOUT;
	}
	(void)fd_receive(answer_fd, &byte, 1, 0, &fd);
	error = as_caller_result(pidfd);
	fd_close(pidfd);
	fd_close(answer_fd);
	if (fd >= 0)
		return fd;
	return error != 0 ? -error : -EIO;
}

int
as_caller_open(const struct as_caller_job *job)
{
	struct as_caller_job with_answer = *job;
	int ends[2];
	int pidfd = -1;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	with_answer.socket_fd = ends[1];
	r = as_caller_start(&with_answer, &pidfd);
	fd_close(ends[1]);
	if (r < 0) {
		fd_close(ends[0]);
		return r;
	}
	return receive_from_child(pidfd, ends[0]);
}

/* The namespace's own user namespace is entered too: the right to enter it is held there. */
static _noreturn_ void
run_diag_child(int caller_pidfd, int answer_fd)
{
	const int kept[] = { caller_pidfd, answer_fd };
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_all_but(kept, ARRAY_SIZE(kept));
	if (setns(caller_pidfd, CLONE_NEWUSER | CLONE_NEWNET) < 0)
		_exit(errno);
	fd = sock_diag_open();
	if (fd < 0)
		_exit(-fd);
	_exit(-fd_send(answer_fd, "", 1, fd));
}

int
as_caller_open_diag(int caller_pidfd)
{
	int ends[2];
	int pidfd = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = clone_child(&pidfd);
	if (pid == 0)
		run_diag_child(caller_pidfd, ends[1]);
	fd_close(ends[1]);
	if (pid < 0) {
		fd_close(ends[0]);
		return pid;
	}
	return receive_from_child(pidfd, ends[0]);
}
