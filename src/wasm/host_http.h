/*
 * porta.http_request: an HTTP request of a guest, made by porta-http inside a native sandbox whose
 * network rules are the run's own. So the kernel judges each connection, to where a redirect or a
 * name really leads too; porta-http judges it as well, and says what was refused.
 */
#ifndef PORTA_WASM_HOST_HTTP_H
#define PORTA_WASM_HOST_HTTP_H

#include "wasm/host_calls.h"
#include "wasm/worker.h"

/* The process, kept for the requests that follow, with its connections. */
struct host_http {
	struct worker worker;
};

#define HOST_HTTP_INIT { .worker = WORKER_INIT }

/* Ends the process; of one that never started nothing. */
void host_http_end(struct host_http *http);

/*
 * {"method", "url", "headers", "body"} to {"status", "headers", "body"} or {"error"}. Nothing is sent
 * where neither --allow-net nor --net says that something may be reached.
 */
void host_http_answer(const struct host_calls_context *context, const struct json_place *request,
		      struct strbuf *ret_response);

#endif
