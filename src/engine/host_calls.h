/* What a guest asks of porta (module "porta"): each request travels to the parent, which decides. */
#ifndef PORTA_ENGINE_HOST_CALLS_H
#define PORTA_ENGINE_HOST_CALLS_H

#include <wasmtime.h>

#include "util/error.h"
#include "wasm/message.h"

struct host_calls;

/* Requests are sent over PROTOCOL_CONTROL_FD, answers read by `reader` (the caller's). */
struct host_calls *host_calls_new(struct message_reader *reader);
void host_calls_free(struct host_calls *calls);
/*
 * Defines the three functions of the agent protocol, each (req_ptr, req_len, resp_ptr, resp_cap:
 * i32) -> i32: bytes written, the negated size needed, or -1.
 */
int host_calls_define(struct host_calls *calls, wasmtime_linker_t *linker, struct error *err);
/* Forgets what a call of the guest left: answers that were too long for it. */
void host_calls_reset(struct host_calls *calls);

#endif
