/*
 * MCP over standard input and output: one message a line, or framed by Content-Length where the client
 * does so; answered in kind. Nothing else is ever written to standard output.
 */
#ifndef PORTA_MCP_STDIO_H
#define PORTA_MCP_STDIO_H

#include "mcp/server.h"

struct mcp_stdio;

/*
 * Serves until the input ends and all is answered, or the client is gone: then it stops the loop. The
 * server stays the caller's.
 */
struct mcp_stdio *mcp_stdio_new(struct events *events, struct mcp_server *server, int in_fd,
				int out_fd);
void mcp_stdio_free(struct mcp_stdio *stdio);
/* No more is read; what is under way is answered, and the loop stopped. */
void mcp_stdio_finish(struct mcp_stdio *stdio);

#endif
