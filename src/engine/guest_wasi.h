/* What a guest's WASI functions work on: arguments, environment, directories, streams. */
#ifndef PORTA_ENGINE_GUEST_WASI_H
#define PORTA_ENGINE_GUEST_WASI_H

#include <stdbool.h>
#include <stddef.h>
#include <wasmtime.h>

#include "util/error.h"
#include "util/strings.h"
#include "wasm/protocol.h"

/* What a call of a serving worker reads and writes, in memory. */
struct guest_streams {
	const char *input;
	size_t input_length;
	struct strbuf *output;
	size_t output_bytes_max;
	bool output_is_over; /* set when the guest is ended for it */
};

/*
 * For one store. `path_fds` are walls_raise's; `streams`, which outlive the store, or NULL: the
 * worker's own. Without the capability io there are none. 0 or a negative errno and a sentence.
 */
int guest_wasi_set(wasmtime_context_t *context, const struct protocol_config *config,
		   const int *path_fds, struct guest_streams *streams, struct error *err);

#endif
