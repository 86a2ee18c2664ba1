/* The event loop of porta-server; see events.h. */
#include "http/events.h"

#include <event2/event.h>

#include "util/clock.h"
#include "util/mem.h"

#define SIGNALS_MAX 8

struct caught_signal {
	event_signal_fn *fn;
	void *data;
	struct event *event;
};

struct events {
	struct event_base *base;
	struct caught_signal signals[SIGNALS_MAX];
	size_t signals_count;
	uint64_t spin_until_ns; /* 0: it sleeps */
	bool is_stopped;
};

struct event_watch {
	struct events *events;
	struct event *event;
	int fd;
	unsigned int what;
	event_watch_fn *fn;
	void *data;
};

struct event_timer {
	struct events *events;
	struct event *event;
	event_timer_fn *fn;
	void *data;
};

static _noreturn_ void
die_for_memory(void)
{
	static const char sentence[] = "porta: out of memory\n";

	(void)!write(STDERR_FILENO, sentence, sizeof(sentence) - 1);
	_exit(125);
}

struct events *
events_new(void)
{
	struct events *events = MEM_NEW(struct events);
	struct event_config *config = event_config_new();

	if (config == NULL)
		die_for_memory();
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	events->base = event_base_new_with_config(config);
	event_config_free(config);
	if (events->base == NULL)
		die_for_memory();
	return events;
}

void
events_free(struct events *events)
{
	if (events == NULL)
		return;
	for (size_t i = 0; i < events->signals_count; i++)
		event_free(events->signals[i].event);
	event_base_free(events->base);
	free(events);
}

void
events_run(struct events *events)
{
	while (!events->is_stopped) {
		if (events->spin_until_ns > clock_now_ns()) {
			event_base_loop(events->base, EVLOOP_NONBLOCK);
			continue;
		}
		events->spin_until_ns = 0;
		event_base_loop(events->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
	}
}

void
events_spin(struct events *events, uint64_t microseconds)
{
	events->spin_until_ns = clock_now_ns() + microseconds * 1000;
}

void
events_stop(struct events *events)
{
	events->is_stopped = true;
	event_base_loopbreak(events->base);
}

struct event_base *
events_base(struct events *events)
{
	return events->base;
}

static void
watch_callback(evutil_socket_t fd, short what, void *data)
{
	struct event_watch *watch = data;

	(void)fd;
	watch->events->spin_until_ns = 0;
	watch->fn(watch->data, ((what & EV_READ) != 0 ? EVENTS_READ : 0) |
				   ((what & EV_WRITE) != 0 ? EVENTS_WRITE : 0));
}

struct event_watch *
event_watch_new(struct events *events, int fd, event_watch_fn *fn, void *data)
{
	struct event_watch *watch = MEM_NEW(struct event_watch);

	watch->events = events;
	watch->fd = fd;
	watch->fn = fn;
	watch->data = data;
	watch->event = event_new(events->base, fd, EV_PERSIST, watch_callback, watch);
	if (watch->event == NULL)
		die_for_memory();
	return watch;
}

void
event_watch_set(struct event_watch *watch, unsigned int what)
{
	short events = EV_PERSIST;

	if (watch->what == what)
		return;
	event_del(watch->event);
	watch->what = what;
	if (what == 0)
		return;
	events |= (what & EVENTS_READ) != 0 ? EV_READ : 0;
	events |= (what & EVENTS_WRITE) != 0 ? EV_WRITE : 0;
	event_assign(watch->event, watch->events->base, watch->fd, events, watch_callback, watch);
	if (event_add(watch->event, NULL) < 0)
		die_for_memory();
}

void
event_watch_free(struct event_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	free(watch);
}

static void
timer_callback(evutil_socket_t fd, short what, void *data)
{
	struct event_timer *timer = data;

	(void)fd;
	(void)what;
	timer->events->spin_until_ns = 0;
	timer->fn(timer->data);
}

struct event_timer *
event_timer_new(struct events *events, event_timer_fn *fn, void *data)
{
	struct event_timer *timer = MEM_NEW(struct event_timer);

	timer->events = events;
	timer->fn = fn;
	timer->data = data;
	timer->event = evtimer_new(events->base, timer_callback, timer);
	if (timer->event == NULL)
		die_for_memory();
	return timer;
}

void
event_timer_set(struct event_timer *timer, uint64_t after_ms)
{
	const struct timeval after = { .tv_sec = (time_t)(after_ms / 1000),
				       .tv_usec = (suseconds_t)(after_ms % 1000 * 1000) };

	if (evtimer_add(timer->event, &after) < 0)
		die_for_memory();
}

void
event_timer_cancel(struct event_timer *timer)
{
	evtimer_del(timer->event);
}

void
event_timer_free(struct event_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}

static void
signal_callback(evutil_socket_t signal, short what, void *data)
{
	struct caught_signal *caught = data;

	(void)what;
	caught->fn(caught->data, (int)signal);
}

void
events_catch_signal(struct events *events, int signal, event_signal_fn *fn, void *data)
{
	struct caught_signal *caught = &events->signals[events->signals_count++];

	assert(events->signals_count <= SIGNALS_MAX);
	caught->fn = fn;
	caught->data = data;
	caught->event = evsignal_new(events->base, signal, signal_callback, caught);
	if (caught->event == NULL || evsignal_add(caught->event, NULL) < 0)
		die_for_memory();
}
