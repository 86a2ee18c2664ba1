/*
 * The network door: answers the calls that the seccomp filter traps. connect,
 * listen, bind, socket, SO_REUSEADDR, and chmod with setgid are judged by the policy and, where
 * they are allowed, performed here on a duplicate of the caller's descriptor; the
 * answer is never "continue", since another thread could change what was judged.
 */
#ifndef PORTA_BROKER_DOOR_H
#define PORTA_BROKER_DOOR_H

#include "broker/loop.h"
#include "broker/resolver_client.h"
#include "broker/violations.h"
#include "policy/policy.h"
#include "sandbox/plan.h"
#include "util/error.h"

struct door;

struct door_config {
	const struct policy *policy;
	const struct plan *plan;
	struct loop *loop;
	struct violations *violations;
	struct resolver_client *resolver; /* NULL where the network is not closed */
	int listener_fd;		  /* the door owns it from now on */
	pid_t init_pid;			  /* the sandbox's pid 1, as seen here */
	int init_pidfd;
};

/* Starts watching the listener in the loop. On POLLHUP (the tree has ended) it is dropped. */
int door_new(const struct door_config *config, struct door **ret_door, struct error *err);
void door_free(struct door *door);

#endif
