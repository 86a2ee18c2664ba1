/*
 * The broker's event loop: poll(2) over few descriptors, with timers. poll and not
 * epoll, because an answer through epoll costs four times as much where there are only a
 * handful of descriptors, and each connect waits for one.
 */
#ifndef PORTA_BROKER_LOOP_H
#define PORTA_BROKER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* `revents` as poll(2) gives them. */
typedef void loop_fd_fn(void *data, short revents);
typedef void loop_timer_fn(void *data);

struct loop *loop_new(void);
void loop_free(struct loop *loop);

/*
 * Calls fn(data, revents) whenever `fd` has one of `events` (or an error). One watch a
 * descriptor; watching it again changes events and callback. The descriptor stays the
 * caller's, who unwatches it before closing it. Both are allowed inside callbacks.
 */
void loop_watch(struct loop *loop, int fd, short events, loop_fd_fn *fn, void *data);
void loop_unwatch(struct loop *loop, int fd);

/* A timer in the caller's storage, zeroed at first. One shot. */
struct loop_timer {
	uint64_t due_ns; /* CLOCK_MONOTONIC; 0: not set */
	loop_timer_fn *fn;
	void *data;
	struct loop_timer *next;
};
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t after_ms,
		    loop_timer_fn *fn, void *data);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
uint64_t loop_now_ns(void);

/* Runs until loop_stop; returns 0 or a negative errno of poll itself. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
