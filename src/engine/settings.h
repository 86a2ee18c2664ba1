/* How Wasmtime is set up: the same for compiling and for running, or the code is not taken. */
#ifndef PORTA_ENGINE_SETTINGS_H
#define PORTA_ENGINE_SETTINGS_H

#include <wasm.h>

#include "wasm/protocol.h"

/* A change that makes other code changes PROTOCOL_SETTINGS_VERSION too. */
wasm_engine_t *settings_new_engine(const struct protocol_config *config);

#endif
