/*
 * The WASM workers of an agent that is served: started when they are wanted, kept while they serve,
 * one more than is busy ready for the next call. A worker belongs to one user at a time.
 */
#ifndef PORTA_MCP_POOL_H
#define PORTA_MCP_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "broker/broker.h"
#include "http/events.h"
#include "util/error.h"
#include "util/strings.h"
#include "wasm/agent.h"
#include "wasm/worker.h"

struct pool;
struct pool_worker;

/* All of it stays the caller's, as long as the pool is there. */
struct pool_settings {
	struct events *events;
	int code_fd;
	const struct agent_config *config;
	const struct broker_options *broker;
	const sigset_t *signal_mask; /* what workers start with */
	size_t workers_max;
};

/* Who wants a worker, in the caller's storage; all callbacks come from the event loop. */
struct pool_user {
	void (*given)(void *data, struct pool_worker *worker);
	/* Up to the next message its bytes are there. */
	void (*heard)(void *data, const struct message *message);
	/* The worker that was given has ended, or none could be started: it is wanted no more. */
	void (*lost)(void *data, const char *sentence);
	void *data;
	/* The pool's. */
	struct pool_user *next;
	struct pool_worker *worker;
	bool is_waiting;
};

struct pool *pool_new(const struct pool_settings *settings);
/* Ends all workers; nobody has one, but for who holds the pool: then it goes when it is let go. */
void pool_free(struct pool *pool);
/* Around callbacks that may free it. */
void pool_hold(struct pool *pool);
void pool_let_go(struct pool *pool);

/* Starts a worker that is configured; the caller waits for its first word, blocking, and adds or ends it. */
int pool_start_worker(const struct pool_settings *settings, struct worker *worker,
		      struct error *err);
/* Takes a worker that is ready. */
void pool_add(struct pool *pool, struct worker *worker);

/* Users wait in their order. `given` may come at once. */
void pool_want(struct pool *pool, struct pool_user *user);
/* A worker would be given at once. */
bool pool_is_ready(const struct pool *pool);
/* The user is done with it, or does not want one any more. `is_broken`: the worker is ended. */
void pool_leave(struct pool *pool, struct pool_user *user, bool is_broken);
/* A message to the worker that the user has, without blocking; what it does not read yet is kept. */
void pool_send(struct pool_worker *worker, enum message_kind kind, const struct strbuf *bytes);

/*
 * The worker runs where the caller does, while it is the only one at work: passing a message between two processors
 * takes longer than a short call. pool_let_run lets it run anywhere again.
 */
void pool_follow(struct pool_worker *worker);
void pool_let_run(struct pool_worker *worker);

struct pool_counts {
	size_t workers;
	size_t busy;
	size_t waiting; /* users */
};

struct pool_counts pool_count(const struct pool *pool);

#endif
