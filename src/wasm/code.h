/* The compiled code of a module, from the cache or from a worker that compiles, and its facts. */
#ifndef PORTA_WASM_CODE_H
#define PORTA_WASM_CODE_H

#include <signal.h>

#include "util/error.h"
#include "wasm/cache.h"
#include "wasm/facts.h"
#include "wasm/module.h"

/* What ends waiting for a worker. */
struct code_watch {
	uint64_t deadline_ms;	     /* of worker_now_ms; 0: none */
	int signal_fd;		     /* a signalfd */
	const sigset_t *signal_mask; /* what workers start with */
};

/*
 * Blocks the signals that end a run, to be read from watch->signal_fd, which the caller closes.
 * *ret_mask is what porta was started with, and watch->signal_mask. 0 or a negative errno.
 */
int code_watch_signals(struct code_watch *watch, sigset_t *ret_mask, struct error *err);

/*
 * Judges a module by its facts before it is compiled or run: 0, or minus the exit code that porta
 * is to end with, and a sentence.
 */
typedef int code_judge(void *data, const struct facts *facts, struct error *err);

/*
 * Returns 0 with *ret_entry and *ret_facts (CACHE_ENTRY_INIT, FACTS_INIT before), or minus the exit
 * code and a sentence: what `judge` said, EXIT_CODE_BAD_MODULE, EXIT_CODE_CRASHED (the worker),
 * EXIT_CODE_TIMEOUT, 128 + a signal, EXIT_CODE_FAILED.
 */
int code_get(struct module *module, const struct cache *cache, bool has_fuel,
	     const struct code_watch *watch, code_judge *judge, void *data,
	     struct cache_entry *ret_entry, struct facts *ret_facts, struct error *err);

/*
 * The facts of a module that is to be looked at only; all of it is checked. As code_get.
 */
int code_inspect(struct module *module, const struct code_watch *watch, struct facts *ret_facts,
		 struct error *err);

#endif
