/* The roles of a worker that reads a module: inspect and compile. */
#ifndef PORTA_ENGINE_COMPILE_H
#define PORTA_ENGINE_COMPILE_H

#include "util/error.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

/*
 * Says what the module at PROTOCOL_CODE_FD says of itself; where it is to be compiled, waits for
 * porta's word to go on, and writes the code to PROTOCOL_OUTPUT_FD. Returns 0 when all is said, a
 * module that is not valid too; a negative errno and a sentence for what went wrong with the worker.
 */
int compile_module(const struct protocol_config *config, struct message_reader *reader,
		   struct error *err);

#endif
