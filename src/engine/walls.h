/* The walls around a WASM worker, up before it reads a byte of a module. */
#ifndef PORTA_ENGINE_WALLS_H
#define PORTA_ENGINE_WALLS_H

#include "util/error.h"
#include "wasm/protocol.h"

/*
 * Opens the directories of `config` and takes everything else away, for good: files but these
 * (Landlock), capabilities, every system call that neither the engine nor a guest with these
 * capabilities needs (seccomp): no sockets, no programs, no processes. 0 or a negative errno with
 * a sentence. *ret_fds gets a descriptor for each path of `config`, and belongs to the process.
 */
int walls_raise(const struct protocol_config *config, int **ret_fds, struct error *err);

/* The code is loaded: nothing becomes executable any more. 0 or a negative errno. */
int walls_close_code(void);

#endif
