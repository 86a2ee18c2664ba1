/* porta.exec_command: a listed command in the native sandbox, for a guest that may start it. */
#ifndef PORTA_WASM_HOST_EXEC_H
#define PORTA_WASM_HOST_EXEC_H

#include "wasm/host_calls.h"

/* Of each stream; more is an error, not cut. */
#define HOST_EXEC_OUTPUT_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define HOST_EXEC_ARGUMENTS_MAX	   4096

/*
 * Finds the words of --allow-exec, once, before the guest runs: in the absolute directories of
 * PATH that lie in no writable mount, or a path as it is. A word that is found nowhere, or leads
 * into a writable mount, gets "".
 */
void host_exec_find(const struct policy *policy, struct strv *ret_paths);

/*
 * {"command", "args", "cwd"} to {"exit_code", "stdout", "stderr"} or {"error"}. `command` is exactly a
 * word of --allow-exec; it ends with its call. As host_calls_answer.
 */
int host_exec_answer(const struct host_calls_context *context, const struct json_place *request,
		     struct strbuf *ret_response);

#endif
