/* The guest: compiled code, what it may import, and one call of it at a time. */
#ifndef PORTA_ENGINE_GUEST_H
#define PORTA_ENGINE_GUEST_H

#include "util/error.h"
#include "util/strings.h"
#include "wasm/protocol.h"

struct guest;

/*
 * Loads PROTOCOL_CODE_FD and links what the module imports, as far as `config` grants it; after
 * this nothing becomes executable any more. `path_fds` are walls_raise's. Both stay the caller's
 * and outlive the guest.
 *
 * Returns 1 and *ret_guest; 0 where the module cannot be run: then *ret_result and `sentence` are
 * what to tell porta; a negative errno and a sentence where the worker failed.
 */
int guest_load(const struct protocol_config *config, const int *path_fds,
	       struct guest **ret_guest, struct protocol_result *ret_result,
	       struct strbuf *sentence, struct error *err);

/*
 * A fresh instance of the guest: calls its entry, to the end. Standard streams are 0, 1 and 2.
 * 0 with the result and, for a trap, a sentence; a negative errno where the worker failed.
 */
int guest_call(struct guest *guest, struct protocol_result *ret_result, struct strbuf *sentence,
	       struct error *err);

void guest_free(struct guest *guest);

#endif
