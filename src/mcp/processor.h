/*
 * Keeping a short call on one processor: a message between two of them takes longer than what is done
 * with it. The server and the worker that it calls are bound together, until a call takes longer.
 */
#ifndef PORTA_MCP_PROCESSOR_H
#define PORTA_MCP_PROCESSOR_H

#include <sys/types.h>

/* Binds the server to the processor that it is on; returns that, or -1 where there is nothing to choose. */
int processor_bind(void);
/* Lets it run anywhere again. Before each fork: a child would inherit it. */
void processor_let_go(void);
/* Binds another process, or with -1 lets it run anywhere. 0 or a negative errno. */
int processor_bind_other(pid_t pid, int processor);

#endif
