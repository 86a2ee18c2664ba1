/* One call of a guest that is served: what it reads, what it asks of porta, what it answers. */
#ifndef PORTA_MCP_GUEST_CALL_H
#define PORTA_MCP_GUEST_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/events.h"
#include "mcp/pool.h"
#include "util/json.h"
#include "util/strings.h"
#include "wasm/host_calls.h"

struct guest_call;

/* How it ended; the texts are there during the callback. */
struct guest_end {
	bool is_answered;
	const char *output; /* what the guest wrote, without NUL behind it */
	size_t output_length;
	const char *sentence; /* else: why not, "the agent trapped: ..." */
};

struct guest_call_start {
	struct events *events;
	struct pool *pool; /* NULL: no guest, `host` answers */
	const char *entry; /* the exported function; "": the manifest's */
	/* What a guest gets, as the agent protocol frames it; or the request of `function`. */
	const char *input;
	size_t input_length;
	enum host_function function;		/* without a guest */
	const struct host_calls_context *host; /* without deadline and events */
	uint64_t timeout_ms; /* from now on, waiting for a worker too */
	/*
	 * An event that the guest emits. false: the guest waits until guest_call_resume, since nobody
	 * takes what it says.
	 */
	bool (*emitted)(void *data, const json_value *event);
	/* The call is gone behind it. */
	void (*ended)(void *data, const struct guest_end *end);
	void *data;
};

/* `ended` never comes before it returns. */
struct guest_call *guest_call_new(const struct guest_call_start *start);
/* Ends it at once: `ended` does not come. */
void guest_call_cancel(struct guest_call *call);
void guest_call_resume(struct guest_call *call);

/* Adds what a guest reads: a length of four bytes, and JSON. */
void guest_call_put_input(struct strbuf *out, const char *tool, const json_value *arguments,
			  const json_value *input_responses, const json_value *request_state);

#endif
