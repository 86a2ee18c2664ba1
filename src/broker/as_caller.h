/*
 * One system call performed as its caller would: in its mount and user namespace, from
 * its root and directory, with its ids, capabilities and umask, but outside its seccomp
 * filter. A short-lived child of the broker does it, for the rare calls whose meaning
 * lies in these: binding a unix socket to a path, setting a mode, and, as root,
 * connecting to a unix socket with another user's rights.
 */
#ifndef PORTA_BROKER_AS_CALLER_H
#define PORTA_BROKER_AS_CALLER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "sandbox/plan.h"
#include "util/error.h"

/* More groups than one process has in practice; a caller with more is refused. */
#define AS_CALLER_GROUPS_MAX 1024
/* The outcome of CHMOD for what is no directory; any other is 0 or an errno. */
#define AS_CALLER_NOT_A_DIRECTORY 254

enum as_caller_action {
	AS_CALLER_BIND,	   /* bind(socket_fd, address) */
	AS_CALLER_CONNECT, /* connect(socket_fd, the unix socket that handle_fd holds); waits as the
			      socket says */
	AS_CALLER_CHMOD,   /* fchmodat of a directory; `path` empty: the directory that handle_fd
			      holds */
	AS_CALLER_FCHMOD,  /* fchmod(handle_fd) of a directory */
	AS_CALLER_OPEN,	   /* open(path, O_PATH); by as_caller_open alone */
};

struct as_caller_job {
	enum as_caller_action action;
	pid_t tid;
	int caller_pidfd;
	bool enter_namespaces;	      /* the sandbox has namespaces of its own */
	const struct plan *grants_of; /* BIND without them: the plan whose Landlock grants hold for
					 the child too, else NULL */
	int socket_fd;
	int handle_fd; /* where a relative path begins, or -1 for the caller's directory */
	struct sockaddr_un address;
	socklen_t address_bytes;
	char path[PATH_MAX];
	mode_t mode;
	bool follow; /* CHMOD: a symlink at the end */
};

/* What /proc/TID/status says of a thread. */
struct as_caller_credentials {
	uid_t uids[4]; /* real, effective, saved, file system */
	gid_t gids[4];
	gid_t groups[AS_CALLER_GROUPS_MAX];
	size_t groups_count;
	unsigned long long capabilities; /* effective */
	mode_t umask;
};
int as_caller_read_credentials(pid_t tid, struct as_caller_credentials *ret_credentials);
/* Whether they are the same user and groups as the broker's own. */
bool as_caller_is_same_user(const struct as_caller_credentials *credentials);

/*
 * Starts the child. 0 and a pidfd that becomes readable at its end, or a negative errno. The
 * child dies with the broker. Everything in `job` stays the caller's.
 */
int as_caller_start(const struct as_caller_job *job, int *ret_pidfd);
/* Reaps it once its pidfd is readable: 0, a positive errno, or AS_CALLER_NOT_A_DIRECTORY. */
int as_caller_result(int pidfd);
/* Ends and reaps one that nobody waits for; closes the pidfd. */
void as_caller_kill(int pidfd);

/*
 * An O_PATH handle of job->path, opened as the caller; waits for it, for a second at most. A
 * descriptor that the caller of this function owns, or a negative errno.
 */
int as_caller_open(const struct as_caller_job *job);
/* A NETLINK_SOCK_DIAG socket in the network namespace of a caller; or a negative errno. */
int as_caller_open_diag(int caller_pidfd);

#endif
