/* What of the file system a guest may touch, and the native sandbox that keeps it to that. */
#ifndef PORTA_WASM_GUEST_FILES_H
#define PORTA_WASM_GUEST_FILES_H

#include "policy/policy.h"
#include "util/error.h"
#include "wasm/protocol.h"

/*
 * Adds to `config` the directories that -v names (none: the working directory, for reading), as far
 * as the granted capabilities reach: without fs none, without fs.write for reading. A file is
 * granted alone; of its directory the guest sees the names. 0 or a negative errno and a sentence.
 */
int guest_files_add(const struct policy *policy, capability_set granted,
		    struct protocol_config *config, struct error *err);

/*
 * The policy of the native sandbox around a worker: what `policy` says of files, no network rule and
 * no environment, which are for the worker's own walls. Shares its texts with `policy`;
 * guest_files_sandbox_done gives back the rest.
 */
void guest_files_sandbox(const struct policy *policy, capability_set granted,
			 struct policy *ret_sandbox);
void guest_files_sandbox_done(struct policy *sandbox);

#endif
