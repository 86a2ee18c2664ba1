/*
 * Child processes of porta-server that do not become another program: what takes its time is done
 * there, since the server itself waits for nobody. What one has started ends with it, and it ends with the server.
 */
#ifndef PORTA_MCP_CHILD_H
#define PORTA_MCP_CHILD_H

#include "util/error.h"
#include "wasm/worker.h"

/* In the child: `fd` is its end of the socket pair. Returns its exit code. */
typedef int child_fn(const void *data, int fd);

/*
 * Forks one that does `fn` and ends. Nothing of the server's is left in it but memory and standard error: no
 * client's socket, no handler. `type` is of the socket pair: SOCK_STREAM or SOCK_SEQPACKET. Of *ret_child, control_fd
 * is the server's end; worker_end ends it. 0 or a negative errno and a sentence.
 */
int child_start(child_fn *fn, const void *data, int type, struct worker *ret_child, struct error *err);

#endif
