/* The native sandbox around a worker that may touch files or the network. */
#ifndef PORTA_WASM_WORKER_SANDBOX_H
#define PORTA_WASM_WORKER_SANDBOX_H

#include "wasm/worker.h"

/*
 * Runs the program at `program_path` in the sandbox of `start`, with `kept_fds` descriptors from
 * PROTOCOL_CONTROL_FD on; the caller's process becomes the broker. Returns the code to exit with; a
 * failure is told over PROTOCOL_CONTROL_FD (MESSAGE_FAILED).
 */
int worker_sandbox_run(const struct worker_start *start, const char *program_path, int kept_fds);

#endif
