/*
 * The network door; see door.h.
 *
 * Theory of operation. The listener becomes readable; one request is received and given to the
 * handler of its call. The handler takes a duplicate of the caller's descriptor once, copies
 * what the call points to once, asks whether the caller still waits, judges only
 * what it holds by then, performs the call on the duplicate, and answers. What cannot be answered
 * at once waits beside the loop (door_waiting.c). Nothing is kept of a connection that was made.
 */
#include "broker/door.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include "broker/door_internal.h"
#include "broker/sock_diag.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/os_linux.h"

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

typedef void door_handler_fn(struct door *door, const struct notify_request *request);

static const struct {
	int number;
	door_handler_fn *fn;
} handlers[] = {
	{ .number = SYS_connect, .fn = door_handle_connect },
	{ .number = SYS_bind, .fn = door_handle_bind },
	{ .number = SYS_listen, .fn = door_handle_listen },
	{ .number = SYS_socket, .fn = door_handle_socket },
	{ .number = SYS_setsockopt, .fn = door_handle_setsockopt },
#ifdef SYS_chmod
	{ .number = SYS_chmod, .fn = door_handle_chmod },
#endif
	{ .number = SYS_fchmod, .fn = door_handle_fchmod },
	{ .number = SYS_fchmodat, .fn = door_handle_fchmodat },
	{ .number = __NR_fchmodat2, .fn = door_handle_fchmodat2 },
};

void
door_open_diag(struct door *door, const struct notify_request *request)
{
	if (door->listeners.diag_fd >= 0)
		return;
	if (door->config.plan->new_network)
		door->listeners.diag_fd = as_caller_open_diag(notify_pidfd(&door->notify, request));
	else
		door->listeners.diag_fd = sock_diag_open();
}

static void
handle_request(struct door *door, const struct notify_request *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (handlers[i].number == request->number) {
			handlers[i].fn(door, request);
			return;
		}
	}
	notify_answer_error(&door->notify, request->id, ENOSYS);
}

static void
drop_listener(struct door *door)
{
	loop_unwatch(door->config.loop, door->notify.listener_fd);
	notify_done(&door->notify);
}

static void
on_listener(void *data, short revents)
{
	struct door *door = data;
	struct notify_request request;

	if (revents & POLLIN) {
		if (notify_receive(&door->notify, &request) == 0)
			handle_request(door, &request);
		return;
	}
	/* The last process of the tree has gone. What still waits has nobody to be answered to. */
	door_waiting_done(door);
	drop_listener(door);
}

static int
own_network_cookie(uint64_t *ret_cookie, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret_cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &n) < 0)
		return error_set_errno(err, -errno, "cannot tell the network namespace");
	return 0;
}

int
door_new(const struct door_config *config, struct door **ret_door, struct error *err)
{
	struct door *door = MEM_NEW(struct door);
	int r;

	door->config = *config;
	door->epoll_fd = -1;
	door->started_seconds = (uint64_t)time(NULL);
	TAILQ_INIT(&door->waiting);
	listeners_init(&door->listeners);
	caller_mounts_init(&door->mounts, config->plan, config->init_pid);
	unix_allowed_init(&door->unix_allowed, &config->policy->allow_unix, config->plan);
	r = notify_init(&door->notify, config->listener_fd, err);
	if (r == 0)
		r = own_network_cookie(&door->network_cookie, err);
	if (r == 0)
		r = door_waiting_init(door, err);
	if (r < 0) {
		door_free(door);
		return error_wrap(err, r, "network door");
	}
	loop_watch(config->loop, config->listener_fd, POLLIN, on_listener, door);
	*ret_door = door;
	return 0;
}

void
door_free(struct door *door)
{
	if (door == NULL)
		return;
	door_waiting_done(door);
	if (door->notify.listener_fd >= 0)
		drop_listener(door);
	listeners_done(&door->listeners);
	caller_mounts_done(&door->mounts);
	unix_allowed_done(&door->unix_allowed);
	free(door);
}
