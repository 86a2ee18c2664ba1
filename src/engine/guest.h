/* The guest: compiled code, what it may import, and one call of it at a time. */
#ifndef PORTA_ENGINE_GUEST_H
#define PORTA_ENGINE_GUEST_H

#include "engine/guest_end.h"
#include "engine/guest_wasi.h"
#include "util/error.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

struct guest;

/*
 * Loads PROTOCOL_CODE_FD and links what the module imports, as far as `config` grants it; after
 * this nothing becomes executable any more. `path_fds` are walls_raise's; `reader` hears the
 * answers to what the guest asks of porta. All three stay the caller's and outlive the guest.
 *
 * Returns 1 and *ret_guest; 0 where the module cannot be run: then *ret_end says why; a negative
 * errno and a sentence where the worker failed.
 */
int guest_load(const struct protocol_config *config, const int *path_fds,
	       struct message_reader *reader, struct guest **ret_guest, struct guest_end *ret_end,
	       struct error *err);

/*
 * A fresh instance of the guest: calls its function `entry`, to the end. `streams` are its standard
 * input and output; NULL: the worker's own. 0 with *ret_end; a negative errno and a sentence where
 * the worker failed.
 */
int guest_call(struct guest *guest, const char *entry, struct guest_streams *streams,
	       struct guest_end *ret_end, struct error *err);

void guest_free(struct guest *guest);

#endif
