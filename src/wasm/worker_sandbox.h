/* The native sandbox around a WASM worker whose guest may touch files. */
#ifndef PORTA_WASM_WORKER_SANDBOX_H
#define PORTA_WASM_WORKER_SANDBOX_H

#include "broker/broker.h"
#include "policy/policy.h"

/*
 * Runs porta-engine, at `program_path`, in the sandbox that `policy` makes, with its descriptors from
 * PROTOCOL_CONTROL_FD on; the caller's process becomes the broker. Returns the code to exit with; a
 * failure is told over PROTOCOL_CONTROL_FD (MESSAGE_FAILED).
 */
int worker_sandbox_run(const struct policy *policy, const struct broker_options *options,
		       const char *program_path);

#endif
