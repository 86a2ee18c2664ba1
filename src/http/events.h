/*
 * The event loop of porta-server, over libevent: one thread, descriptors, timers and signals. What it
 * gives out is freed before the loop.
 */
#ifndef PORTA_HTTP_EVENTS_H
#define PORTA_HTTP_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS_READ  1U
#define EVENTS_WRITE 2U

struct events;
struct event_watch;
struct event_timer;

struct events *events_new(void);
void events_free(struct events *events);
/* Until events_stop. */
void events_run(struct events *events);
/*
 * For so long the loop asks again and again instead of sleeping, until something happens: waking up
 * takes longer than most of what a client does between two requests.
 */
void events_spin(struct events *events, uint64_t microseconds);
void events_stop(struct events *events);

/* `what` holds EVENTS_READ, EVENTS_WRITE; hanging up counts as both. */
typedef void event_watch_fn(void *data, unsigned int what);
typedef void event_timer_fn(void *data);
typedef void event_signal_fn(void *data, int signal);

/* Watches for nothing yet. `fd` stays the caller's, who frees the watch before closing it. */
struct event_watch *event_watch_new(struct events *events, int fd, event_watch_fn *fn, void *data);
void event_watch_set(struct event_watch *watch, unsigned int what);
/* NULL is none; allowed in its own callback. */
void event_watch_free(struct event_watch *watch);

/* One shot, not set yet. */
struct event_timer *event_timer_new(struct events *events, event_timer_fn *fn, void *data);
/* 0: as soon as the callbacks that are due have run. What was set before counts no more. */
void event_timer_set(struct event_timer *timer, uint64_t after_ms);
void event_timer_cancel(struct event_timer *timer);
void event_timer_free(struct event_timer *timer);

/* For the life of the loop. */
void events_catch_signal(struct events *events, int signal, event_signal_fn *fn, void *data);

struct event_base;
/* libevent's own, for what stands on it in this folder. */
struct event_base *events_base(struct events *events);

#endif
