/*
 * What a guest asks of porta, decided and done (GUEST: host imports of the agent protocol): http_request,
 * exec_command, emit. Requests come out of a worker and are taken for hostile.
 */
#ifndef PORTA_WASM_HOST_CALLS_H
#define PORTA_WASM_HOST_CALLS_H

#include <signal.h>

#include "policy/policy.h"
#include "util/json.h"
#include "util/strings.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

struct host_http;

#define HOST_CALL_REQUEST_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define HOST_CALL_DEPTH_MAX 100

struct host_calls_context {
	const struct policy *policy;
	capability_set granted;
	const sigset_t *signal_mask; /* what commands start with */
	uint64_t deadline_ms;	     /* of worker_now_ms; 0: none */
	int signal_fd;		     /* a signalfd; what comes ends a command, and is left to be read */
	/* Of host_exec_find: for each word of --allow-exec where it was found, "" where it was not. */
	const struct strv *exec_paths;
	struct host_http *http; /* started with the first request */
	/* Gets each event that the guest emits, an object; NULL: they are dropped. */
	void (*emit)(void *data, const json_value *event);
	void *emit_data;
};

/*
 * Answers one call. Returns 0 and the response, JSON or empty; 1 where the request is no JSON of
 * the right form, which the guest hears as -1.
 */
int host_calls_answer(const struct host_calls_context *context, enum host_function function,
		      const char *request, size_t length, struct strbuf *ret_response);

/*
 * Answers a MESSAGE_HOST_CALL: adds the bytes of a MESSAGE_REPLY. -EPROTO where it is no call of any
 * function.
 */
int host_calls_answer_message(const struct host_calls_context *context,
			      const struct message *message, struct strbuf *ret_reply);

/* {"error": sentence} */
void host_calls_put_error(struct strbuf *out, const char *sentence);

#endif
