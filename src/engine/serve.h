/* A worker that serves: the module is loaded once, and each call gets an instance of its own. */
#ifndef PORTA_ENGINE_SERVE_H
#define PORTA_ENGINE_SERVE_H

#include "engine/guest_end.h"
#include "util/error.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

/*
 * Answers porta's calls until it hangs up: 0; a negative errno and a sentence where the worker
 * failed. `path_fds` are walls_raise's.
 */
int serve(const struct protocol_config *config, const int *path_fds, struct message_reader *reader,
	  struct error *err);

/* Tells porta how a call ended, and what it wrote (NULL: nothing). 0 or a negative errno and a sentence. */
int serve_send_end(const struct guest_end *end, const struct strbuf *output, struct error *err);

#endif
