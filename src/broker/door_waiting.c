/*
 * Calls whose answer takes time: a connect of a blocking socket, and what a child
 * performs as its caller. The broker goes on meanwhile; the caller waits for its answer as
 * it would for the kernel, and takes signals as it would.
 *
 * A blocking socket is made non-blocking for the moment of connect(): the flag belongs to the
 * open file that broker and caller share. What is in progress then is finished by a second
 * connect() when the socket becomes writable, which gives the very result that the kernel keeps for
 * a caller that waits.
 *
 * A connect to an own listener whose backlog is full is watched until it is through, whoever waits
 * for it: the kernel sends its SYN again for two minutes, and by then the port may be another's.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "broker/caller_signals.h"
#include "broker/door_internal.h"
#include "util/fd.h"
#include "util/mem.h"

/* How often those that wait are looked at: in the first second, and later. */
#define LOOK_SOON_MS	 10
#define LOOK_LATER_MS	 50
#define LOOK_SOON_FOR_NS 1000000000ULL
/* How often a connect to a full backlog is tried again; nothing tells when there is room. */
#define UNIX_RETRY_MS 2
/* Looks at one time (10 µs each): many that wait must not take the broker's time. */
#define LOOKS_MAX  32
#define EVENTS_MAX 64
/* A signal that another thread could take is left to it for one look. */
#define POSSIBLE_LOOKS 2

enum waiting_kind {
	WAITING_INTERNET, /* connect in progress: the socket becomes writable */
	WAITING_UNIX,	  /* full backlog: tried again by the clock */
	WAITING_CHILD,	  /* the child's pidfd becomes readable */
};

struct door_waiting {
	TAILQ_ENTRY(door_waiting) entry;
	enum waiting_kind kind;
	uint64_t id;
	pid_t tid;
	int socket_fd;
	int handle_fd;
	int child_pidfd;
	enum as_caller_action action; /* CHILD only */
	bool own;		      /* to a listener that must be the sandbox's own */
	bool answered;		      /* nobody waits: it is only watched */
	uint64_t cookie;	      /* of the socket; `own` only */
	union door_address address;
	socklen_t address_bytes;
	uint64_t began_ns;
	uint64_t deadline_ns; /* SO_SNDTIMEO; 0: none */
	unsigned possible_looks;
};

static void look_at_waiting(void *data);

static void
schedule_look(struct door *door)
{
	const struct door_waiting *waiting;
	uint64_t now = loop_now_ns();
	uint64_t after_ms = LOOK_LATER_MS;

	TAILQ_FOREACH(waiting, &door->waiting, entry)
	{
		if (waiting->kind == WAITING_UNIX)
			after_ms = MIN(after_ms, (uint64_t)UNIX_RETRY_MS);
		if (waiting->own || now - waiting->began_ns < LOOK_SOON_FOR_NS)
			after_ms = MIN(after_ms, (uint64_t)LOOK_SOON_MS);
		if (waiting->deadline_ns != 0 && waiting->deadline_ns <= now)
			after_ms = 0;
		else if (waiting->deadline_ns != 0)
			after_ms = MIN(after_ms, (waiting->deadline_ns - now) / 1000000 + 1);
	}
	if (TAILQ_EMPTY(&door->waiting))
		loop_timer_cancel(door->config.loop, &door->waiting_timer);
	else if (door->waiting_timer.due_ns == 0 ||
		 door->waiting_timer.due_ns > now + after_ms * 1000000)
		loop_timer_set(door->config.loop, &door->waiting_timer, after_ms, look_at_waiting,
			       door);
}

static void
forget_waiting(struct door *door, struct door_waiting *waiting)
{
	/* Others hold these open files too, so closing alone would leave them in the set. */
	if (waiting->kind == WAITING_INTERNET)
		(void)epoll_ctl(door->epoll_fd, EPOLL_CTL_DEL, waiting->socket_fd, NULL);
	if (waiting->kind == WAITING_CHILD) {
		(void)epoll_ctl(door->epoll_fd, EPOLL_CTL_DEL, waiting->child_pidfd, NULL);
		as_caller_kill(waiting->child_pidfd);
		door->helpers_count--;
	}
	TAILQ_REMOVE(&door->waiting, waiting, entry);
	door->waiting_count--;
	patience_close(waiting->socket_fd);
	patience_close(waiting->handle_fd);
	free(waiting);
}

/* Whether the connect goes on when its caller does not wait for it any more. */
static bool
is_to_be_watched(const struct door_waiting *waiting)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	return waiting->own && waiting->kind == WAITING_INTERNET &&
	       getsockopt(waiting->socket_fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

static void
leave_waiting(struct door *door, struct door_waiting *waiting)
{
	if (is_to_be_watched(waiting)) {
		waiting->answered = true;
		waiting->deadline_ns = 0;
	} else {
		forget_waiting(door, waiting);
	}
}

static void
finish_waiting(struct door *door, struct door_waiting *waiting, int error)
{
	uint64_t id = waiting->id;
	bool answered = waiting->answered;

	/* First what it holds: the caller may close its socket, and mean the last of it. */
	leave_waiting(door, waiting);
	if (!answered)
		notify_answer_error(&door->notify, id, error);
}

static uint64_t
cookie_of(int socket_fd)
{
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);

	(void)getsockopt(socket_fd, SOL_SOCKET, SO_COOKIE, &cookie, &n);
	return cookie;
}

/* What was watched of a socket that was dissolved, is through, or waits anew. */
static void
forget_watched(struct door *door, int socket_fd)
{
	struct door_waiting *waiting = TAILQ_FIRST(&door->waiting);
	uint64_t cookie = waiting != NULL ? cookie_of(socket_fd) : 0;

	while (waiting != NULL) {
		struct door_waiting *next = TAILQ_NEXT(waiting, entry);

		if (waiting->answered && waiting->cookie == cookie)
			forget_waiting(door, waiting);
		waiting = next;
	}
}

static void
dissolve(int socket_fd)
{
	const struct sockaddr nothing = { .sa_family = AF_UNSPEC };

	(void)connect(socket_fd, &nothing, sizeof(nothing));
}

/* False where the listener is no longer the sandbox's own, and the connect is ended. */
static bool
is_still_own(struct door *door, struct door_waiting *waiting)
{
	const struct sockaddr_un *name = &waiting->address.un;
	size_t length = waiting->address_bytes - offsetof(struct sockaddr_un, sun_path);
	socklen_t n = sizeof(int);
	int type = 0;

	if (waiting->kind == WAITING_INTERNET
		? listeners_own_tcp(&door->listeners, &waiting->address.any) == 1
		: getsockopt(waiting->socket_fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
		      listeners_own_abstract(&door->listeners, type, name->sun_path, length))
		return true;
	dissolve(waiting->socket_fd);
	finish_waiting(door, waiting, ECONNREFUSED);
	return false;
}

/* As sock_intr_errno() in the kernel: a call with a time limit is not begun again. */
static void
interrupt_waiting(struct door *door, struct door_waiting *waiting, enum caller_signal signal)
{
	bool restart = signal == CALLER_SIGNAL_CERTAIN && waiting->deadline_ns == 0;

	finish_waiting(door, waiting, restart ? NOTIFY_RESTART : EINTR);
}

/*
 * connect() that does not block. `ret_blocking` tells whether the socket itself would have. 0 or a
 * negative errno.
 */
static int
try_connect(int socket_fd, const union door_address *address, socklen_t bytes, bool *ret_blocking)
{
	int flags = fcntl(socket_fd, F_GETFL);
	int r;

	if (flags < 0)
		return -errno;
	*ret_blocking = !(flags & O_NONBLOCK);
	if (*ret_blocking && fcntl(socket_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	/* EINTR: somebody took the flag away again, and gets no better answer than that. */
	patience_begin();
	r = connect(socket_fd, &address->any, bytes) < 0 ? -errno : 0;
	/* On loopback it is through already, and this second call says so. */
	if (*ret_blocking && r == -EINPROGRESS)
		r = connect(socket_fd, &address->any, bytes) < 0 ? -errno : 0;
	patience_end();
	if (*ret_blocking)
		(void)fcntl(socket_fd, F_SETFL, flags);
	return r;
}

static bool
is_in_progress(enum waiting_kind kind, int r)
{
	return kind == WAITING_UNIX ? r == -EAGAIN : r == -EINPROGRESS || r == -EALREADY;
}

static void
try_again(struct door *door, struct door_waiting *waiting)
{
	bool blocking;
	int r;

	if (waiting->own && !is_still_own(door, waiting))
		return;
	if (waiting->answered) {
		leave_waiting(door, waiting);
		return;
	}
	r = try_connect(waiting->socket_fd, &waiting->address, waiting->address_bytes, &blocking);
	if (!is_in_progress(waiting->kind, r))
		finish_waiting(door, waiting, -r);
}

static void
finish_child(struct door *door, struct door_waiting *waiting)
{
	int error = as_caller_result(waiting->child_pidfd);

	if (error == AS_CALLER_NOT_A_DIRECTORY) {
		violations_record(door->config.violations, VIOLATION_MODE, "setgid", "",
				  "only directories may carry a setgid bit");
		error = EPERM;
	}
	finish_waiting(door, waiting, error);
}

/* Something of what waits has come to its end. */
static void
on_epoll(void *data, short revents)
{
	struct door *door = data;
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(door->epoll_fd, events, EVENTS_MAX, 0);

	(void)revents;
	for (int i = 0; i < count; i++) {
		struct door_waiting *waiting = events[i].data.ptr;

		if (waiting->kind == WAITING_CHILD)
			finish_child(door, waiting);
		else
			try_again(door, waiting);
	}
	schedule_look(door);
}

static bool
is_interruptible(const struct door_waiting *waiting)
{
	return waiting->kind != WAITING_CHILD || waiting->action == AS_CALLER_CONNECT;
}

static void
look_at_one(struct door *door, struct door_waiting *waiting)
{
	enum caller_signal signal = CALLER_SIGNAL_NONE;

	if (waiting->answered)
		return;
	if (is_interruptible(waiting))
		signal = caller_signals_look(waiting->tid);
	if (!notify_is_valid(&door->notify, waiting->id)) {
		leave_waiting(door, waiting);
		return;
	}
	if (signal == CALLER_SIGNAL_POSSIBLE && ++waiting->possible_looks < POSSIBLE_LOOKS)
		signal = CALLER_SIGNAL_NONE;
	else if (signal == CALLER_SIGNAL_NONE)
		waiting->possible_looks = 0;
	if (signal != CALLER_SIGNAL_NONE)
		interrupt_waiting(door, waiting, signal);
	else if (waiting->kind == WAITING_UNIX)
		try_again(door, waiting);
}

static void
end_those_past_their_deadline(struct door *door)
{
	struct door_waiting *waiting = TAILQ_FIRST(&door->waiting);
	uint64_t now = loop_now_ns();

	while (waiting != NULL) {
		struct door_waiting *next = TAILQ_NEXT(waiting, entry);

		if (waiting->deadline_ns != 0 && waiting->deadline_ns <= now)
			finish_waiting(door, waiting,
				       waiting->kind == WAITING_INTERNET ? EINPROGRESS : EAGAIN);
		waiting = next;
	}
}

/* All of them, each time: what comes in between is not the sandbox's to choose. */
static void
look_at_own(struct door *door)
{
	struct door_waiting *waiting = TAILQ_FIRST(&door->waiting);

	while (waiting != NULL) {
		struct door_waiting *next = TAILQ_NEXT(waiting, entry);

		if (waiting->own && waiting->kind == WAITING_INTERNET)
			(void)is_still_own(door, waiting);
		waiting = next;
	}
}

static void
look_at_waiting(void *data)
{
	struct door *door = data;
	size_t looks;

	look_at_own(door);
	looks = MIN(door->waiting_count, (size_t)LOOKS_MAX);
	/* In turns, each looked at going to the end. */
	for (size_t i = 0; i < looks; i++) {
		struct door_waiting *waiting = TAILQ_FIRST(&door->waiting);

		TAILQ_REMOVE(&door->waiting, waiting, entry);
		TAILQ_INSERT_TAIL(&door->waiting, waiting, entry);
		look_at_one(door, waiting);
	}
	end_those_past_their_deadline(door);
	schedule_look(door);
}

static uint64_t
deadline_of(int socket_fd)
{
	struct timeval limit = { 0 };
	socklen_t n = sizeof(limit);

	if (getsockopt(socket_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &n) < 0 ||
	    (limit.tv_sec == 0 && limit.tv_usec == 0))
		return 0;
	return loop_now_ns() + (uint64_t)limit.tv_sec * 1000000000ULL +
	       (uint64_t)limit.tv_usec * 1000;
}

static struct door_waiting *
begin_waiting(struct door *door, const struct notify_request *request, enum waiting_kind kind)
{
	struct door_waiting *waiting = MEM_NEW(struct door_waiting);

	waiting->kind = kind;
	waiting->id = request->id;
	waiting->tid = request->tid;
	waiting->socket_fd = waiting->handle_fd = waiting->child_pidfd = -1;
	waiting->began_ns = loop_now_ns();
	TAILQ_INSERT_TAIL(&door->waiting, waiting, entry);
	door->waiting_count++;
	return waiting;
}

static int
watch_waiting(struct door *door, struct door_waiting *waiting, int fd, uint32_t events)
{
	/*
	 * Edge-triggered: a socket that is writable and yet not through would otherwise keep the
	 * broker busy.
	 */
	struct epoll_event event = { .events = events | EPOLLET, .data.ptr = waiting };

	return epoll_ctl(door->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void
door_perform_connect(struct door *door, const struct notify_request *request, int socket_fd,
		     const union door_address *address, socklen_t address_bytes, int handle_fd,
		     bool own)
{
	enum waiting_kind kind =
	    address->any.sa_family == AF_UNIX ? WAITING_UNIX : WAITING_INTERNET;
	struct door_waiting *waiting;
	bool blocking = false;
	int r = try_connect(socket_fd, address, address_bytes, &blocking);
	bool lasts = is_in_progress(kind, r) && (blocking || (own && r == -EINPROGRESS));

	if (r == 0 || r == -EINPROGRESS || lasts)
		forget_watched(door, socket_fd);
	if (!lasts || door->waiting_count >= door->waiting_max) {
		if (own && (lasts || r == -EINTR))
			dissolve(socket_fd);
		if (lasts)
			r = -EAGAIN;
		patience_close(socket_fd);
		patience_close(handle_fd);
		notify_answer_result(&door->notify, request->id, r);
		return;
	}
	waiting = begin_waiting(door, request, kind);
	waiting->socket_fd = socket_fd;
	waiting->handle_fd = handle_fd;
	waiting->address = *address;
	waiting->address_bytes = address_bytes;
	waiting->own = own;
	waiting->cookie = own ? cookie_of(socket_fd) : 0;
	waiting->deadline_ns = deadline_of(socket_fd);
	if (kind == WAITING_INTERNET && watch_waiting(door, waiting, socket_fd, EPOLLOUT) < 0) {
		if (own)
			dissolve(socket_fd);
		finish_waiting(door, waiting, EAGAIN);
	} else if (!blocking) {
		finish_waiting(door, waiting, EINPROGRESS);
	}
	schedule_look(door);
}

struct as_caller_job
door_new_job(struct door *door, const struct notify_request *request,
	     enum as_caller_action action)
{
	return (struct as_caller_job){
		.action = action,
		.tid = request->tid,
		.caller_pidfd = notify_pidfd(&door->notify, request),
		.enter_namespaces = door->config.plan->tier == SANDBOX_TIER_NAMESPACES,
		.socket_fd = -1,
		.handle_fd = -1,
	};
}

void
door_perform_as_caller(struct door *door, const struct notify_request *request,
		       const struct as_caller_job *job)
{
	struct door_waiting *waiting;
	int pidfd = -1;
	int r = -EAGAIN;

	if (door->waiting_count < door->waiting_max && door->helpers_count < DOOR_HELPERS_MAX)
		r = as_caller_start(job, &pidfd);
	if (r < 0) {
		patience_close(job->socket_fd);
		patience_close(job->handle_fd);
		notify_answer_result(&door->notify, request->id, r);
		return;
	}
	waiting = begin_waiting(door, request, WAITING_CHILD);
	door->helpers_count++;
	waiting->action = job->action;
	waiting->socket_fd = job->socket_fd;
	waiting->handle_fd = job->handle_fd;
	waiting->child_pidfd = pidfd;
	if (watch_waiting(door, waiting, pidfd, EPOLLIN) < 0)
		finish_waiting(door, waiting, EAGAIN);
	schedule_look(door);
}

/* The sandbox's connects need descriptors here; a shell's soft limit is often 1024. */
static size_t
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return DOOR_RESERVED_FDS;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur > DOOR_WAITING_MAX * 4 ? DOOR_WAITING_MAX * 4
						     : (size_t)limit.rlim_cur;
}

int
door_waiting_init(struct door *door, struct error *err)
{
	size_t descriptors = raise_descriptor_limit();
	int r = patience_init(err);

	if (r < 0)
		return r;
	TAILQ_INIT(&door->waiting);
	descriptors -= MIN(descriptors, (size_t)DOOR_RESERVED_FDS + NOTIFY_PIDFDS_MAX);
	door->waiting_max = MIN((size_t)DOOR_WAITING_MAX, descriptors / 3);
	door->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (door->epoll_fd < 0)
		return error_set_errno(err, -errno, "cannot make the set of waiting connects");
	loop_watch(door->config.loop, door->epoll_fd, POLLIN, on_epoll, door);
	return 0;
}

void
door_waiting_done(struct door *door)
{
	while (!TAILQ_EMPTY(&door->waiting))
		forget_waiting(door, TAILQ_FIRST(&door->waiting));
	loop_timer_cancel(door->config.loop, &door->waiting_timer);
	if (door->epoll_fd >= 0) {
		loop_unwatch(door->config.loop, door->epoll_fd);
		fd_close(TAKE_FD(door->epoll_fd));
	}
}
