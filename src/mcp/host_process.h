/*
 * What a guest asks of porta that takes its time, commands and HTTP requests, done by a child process
 * of porta-server, one at most for each call: the server itself waits for nobody, and what the child
 * has started ends with it.
 */
#ifndef PORTA_MCP_HOST_PROCESS_H
#define PORTA_MCP_HOST_PROCESS_H

#include "http/events.h"
#include "util/error.h"
#include "wasm/host_calls.h"
#include "wasm/message.h"

struct host_process;

/* The reply to a request: the bytes of a MESSAGE_REPLY; NULL: the child is gone. */
typedef void host_process_fn(void *data, const struct strbuf *reply);

/* Forks it. `context` is copied; its deadline is the child's. NULL and a sentence. */
struct host_process *host_process_new(struct events *events,
				      const struct host_calls_context *context, host_process_fn *fn,
				      void *data, struct error *err);
/* Ends it, and what it has started. NULL is none; allowed in its callback. */
void host_process_free(struct host_process *process);
/* One request at a time. */
void host_process_ask(struct host_process *process, enum host_function function,
		      const char *request, size_t length);

#endif
