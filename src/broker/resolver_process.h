/*
 * The process porta-resolver as the broker holds it: started with nothing but a
 * control socket, and ended with the broker.
 */
#ifndef PORTA_BROKER_RESOLVER_PROCESS_H
#define PORTA_BROKER_RESOLVER_PROCESS_H

#include <sys/types.h>

#include "broker/resolver_protocol.h"
#include "util/error.h"

struct resolver_process {
	pid_t pid;	     /* -1: none runs */
	int control_fd;	     /* non-blocking */
	int namespace_error; /* 0, or the negative errno for which it has no namespace */
	/* SO_NETNS_COOKIE of its sockets, noted before it read anything. */
	uint64_t namespace_cookie;
};

#define RESOLVER_PROCESS_INIT { .pid = -1, .control_fd = -1 }

/* Starts it and waits until it is confined. A negative errno leaves nothing behind. */
int resolver_process_start(struct resolver_process *process, struct error *err);
/* Kills and reaps it; may be called at any time. */
void resolver_process_stop(struct resolver_process *process);

#endif
