/*
 * An agent as it was loaded: its module, what it offers, its workers. When its files change it is
 * replaced as a whole; calls under way end on the edition they began with.
 */
#ifndef PORTA_MCP_EDITION_H
#define PORTA_MCP_EDITION_H

#include <signal.h>

#include "broker/broker.h"
#include "http/events.h"
#include "mcp/catalog.h"
#include "mcp/pool.h"
#include "util/error.h"
#include "wasm/agent.h"
#include "wasm/host_calls.h"

#define EDITION_WORKERS_MAX_DEFAULT 64

/* All of it stays the caller's. */
struct edition_settings {
	struct events *events;
	const char *path;
	const struct policy *policy;
	const struct broker_options *broker;
	char *const *arguments; /* of the guest, behind the module's name */
	size_t arguments_count;
	size_t workers_max;
	/*
	 * NULL: what --profile, --cap or the manifest grant. Else no more than this: a manifest
	 * that changes under way grants nothing new.
	 */
	const capability_set *granted_max;
};

struct edition {
	size_t users;
	struct agent agent;
	struct agent_config config;
	struct catalog catalog;
	struct pool *pool;
	sigset_t signal_mask; /* what workers start with */
	struct strv exec_paths;
	struct host_calls_context host;
	struct strv notes; /* sentences that a person should hear */
};

/*
 * Loads it, waiting for as long as compiling takes; a signal that ends porta ends that. NULL and *ret_code,
 * the exit code to end with, and a sentence.
 */
struct edition *edition_load(const struct edition_settings *settings, int *ret_code,
			     struct error *err);
/* Takes part in it, and gives it back: the last one ends it. NULL is none. */
struct edition *edition_use(struct edition *edition);
void edition_leave(struct edition *edition);

#endif
