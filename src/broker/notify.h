/*
 * Seccomp user notifications: one trapped call of the sandbox as a request, what the
 * broker may look at of its caller, and the answer. Follows seccomp_unotify(2).
 *
 * A request's `id` names one call for as long as its caller waits. Everything that is
 * looked up by the thread's number (memory, /proc) is looked up first and the id checked
 * after, since the number may belong to another thread by then.
 */
#ifndef PORTA_BROKER_NOTIFY_H
#define PORTA_BROKER_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/* Handles of threads that were seen lately; a power of two. */
#define NOTIFY_PIDFDS_MAX 64

/*
 * What the kernel turns into "run the handler, then begin the call again" (ERESTARTSYS). Never seen
 * by a program.
 */
#define NOTIFY_RESTART 512

struct notify_request {
	uint64_t id;
	pid_t tid; /* as the broker sees it */
	int number;
	uint64_t args[6];
};

struct notify_pidfd {
	pid_t tid;
	int fd;
};

struct notify {
	int listener_fd;
	size_t notification_bytes; /* as the kernel wants them, which may be more than the header
				      knows */
	size_t response_bytes;
	void *notification;
	void *response;
	struct notify_pidfd pidfds[NOTIFY_PIDFDS_MAX];
};

/* Takes the listener, also on failure. */
int notify_init(struct notify *notify, int listener_fd, struct error *err);
void notify_done(struct notify *notify);

/*
 * Receives a request that poll announced. -ENOENT: its caller has gone; -ENOSYS: it was of a
 * foreign ABI and is answered.
 */
int notify_receive(struct notify *notify, struct notify_request *ret_request);
/* Whether the caller still waits. */
bool notify_is_valid(const struct notify *notify, uint64_t id);

/* Copies `n` bytes of the caller's memory; 0, -EFAULT, or -ESRCH when the caller has gone. */
int notify_read_memory(const struct notify *notify, const struct notify_request *request,
		       uint64_t address, void *bytes, size_t n);
/*
 * Copies a path: NUL-terminated, at most `n` bytes with its NUL. 0, -EFAULT,
 * -ENAMETOOLONG, or -ESRCH when the caller has gone.
 */
int notify_read_path(const struct notify *notify, const struct notify_request *request,
		     uint64_t address, char *text, size_t n);
/*
 * A duplicate of the caller's descriptor; close-on-exec, the broker's own. -EBADF as the
 * kernel says, -EMFILE when the broker has none left, -ESRCH when the caller has gone.
 */
int notify_take_fd(struct notify *notify, const struct notify_request *request, int fd,
		   int *ret_fd);
/*
 * A handle of the calling thread (its process before Linux 6.9); stays notify's. Or a negative
 * errno.
 */
int notify_pidfd(struct notify *notify, const struct notify_request *request);

/* The answers. A caller that has gone is no error. `error` is a positive errno or NOTIFY_RESTART. */
void notify_answer_value(struct notify *notify, uint64_t id, int64_t value);
void notify_answer_error(struct notify *notify, uint64_t id, int error);
/* `result` is 0 or a negative errno. */
void notify_answer_result(struct notify *notify, uint64_t id, int result);
/* Puts a copy of `fd` into the caller as the call's value. */
void notify_answer_fd(struct notify *notify, uint64_t id, int fd, bool close_on_exec);

#endif
