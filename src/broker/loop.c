/* The broker's event loop; see loop.h. */
#include "broker/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "util/clock.h"
#include "util/mem.h"

#define NS_PER_MS 1000000ULL

struct watch {
	loop_fd_fn *fn;
	void *data;
};

/*
 * `polled` and `watches` run side by side; a watch taken away has the descriptor -1 until it is
 * swept.
 */
struct loop {
	struct pollfd *polled;
	struct watch *watches;
	size_t count;
	size_t capacity;
	bool has_holes;
	bool stopped;
	struct loop_timer *timers; /* by due_ns, the earliest first */
};

struct loop *
loop_new(void)
{
	return MEM_NEW(struct loop);
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	free(loop->polled);
	free(loop->watches);
	free(loop);
}

void
loop_watch(struct loop *loop, int fd, short events, loop_fd_fn *fn, void *data)
{
	size_t i = 0;

	while (i < loop->count && loop->polled[i].fd != fd)
		i++;
	if (i == loop->count) {
		size_t capacity = loop->capacity;

		MEM_GROW(loop->polled, capacity, i);
		MEM_GROW(loop->watches, loop->capacity, i);
		loop->count++;
	}
	loop->polled[i] = (struct pollfd){ .fd = fd, .events = events };
	loop->watches[i] = (struct watch){ .fn = fn, .data = data };
}

void
loop_unwatch(struct loop *loop, int fd)
{
	for (size_t i = 0; i < loop->count; i++) {
		if (loop->polled[i].fd == fd) {
			loop->polled[i] = (struct pollfd){ .fd = -1 };
			loop->has_holes = true;
		}
	}
}

static void
sweep_holes(struct loop *loop)
{
	size_t kept = 0;

	for (size_t i = 0; i < loop->count; i++) {
		if (loop->polled[i].fd < 0)
			continue;
		loop->polled[kept] = loop->polled[i];
		loop->watches[kept++] = loop->watches[i];
	}
	loop->count = kept;
	loop->has_holes = false;
}

uint64_t
loop_now_ns(void)
{
	return clock_now_ns();
}

void
loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t after_ms, loop_timer_fn *fn,
	       void *data)
{
	struct loop_timer **place = &loop->timers;

	loop_timer_cancel(loop, timer);
	timer->due_ns = loop_now_ns() + after_ms * NS_PER_MS;
	timer->fn = fn;
	timer->data = data;
	while (*place != NULL && (*place)->due_ns <= timer->due_ns)
		place = &(*place)->next;
	timer->next = *place;
	*place = timer;
}

void
loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	if (timer->due_ns == 0)
		return;
	for (struct loop_timer **place = &loop->timers; *place != NULL; place = &(*place)->next) {
		if (*place == timer) {
			*place = timer->next;
			break;
		}
	}
	timer->due_ns = 0;
	timer->next = NULL;
}

static int
timeout_until_next_timer_ms(const struct loop *loop)
{
	uint64_t now;
	uint64_t wait_ms;

	if (loop->timers == NULL)
		return -1;
	now = loop_now_ns();
	if (loop->timers->due_ns <= now)
		return 0;
	wait_ms = (loop->timers->due_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return (int)MIN(wait_ms, (uint64_t)INT_MAX);
}

/*
 * Only what was due when it began: a timer that sets itself again to 0 ms does not starve the
 * descriptors.
 */
static void
run_due_timers(struct loop *loop)
{
	uint64_t now;

	if (loop->timers == NULL)
		return;
	now = loop_now_ns();
	while (!loop->stopped && loop->timers != NULL && loop->timers->due_ns <= now) {
		struct loop_timer *timer = loop->timers;

		loop->timers = timer->next;
		timer->due_ns = 0;
		timer->next = NULL;
		timer->fn(timer->data);
	}
}

static void
dispatch(struct loop *loop, int ready)
{
	/* What a callback adds stands behind `count` and waits for the next round. */
	size_t count = loop->count;

	for (size_t i = 0; i < count && ready > 0 && !loop->stopped; i++) {
		short revents = loop->polled[i].revents;

		if (loop->polled[i].fd < 0 || revents == 0)
			continue;
		ready--;
		loop->polled[i].revents = 0;
		loop->watches[i].fn(loop->watches[i].data, revents);
	}
}

int
loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		int ready;

		if (loop->has_holes)
			sweep_holes(loop);
		ready = poll(loop->polled, loop->count, timeout_until_next_timer_ms(loop));
		if (ready < 0 && errno != EINTR && errno != EAGAIN && errno != ENOMEM)
			return -errno;
		if (ready > 0)
			dispatch(loop, ready);
		if (!loop->stopped)
			run_due_timers(loop);
	}
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
