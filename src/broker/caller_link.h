/*
 * The links by which a program names what it holds itself: /proc/self/fd/N, /dev/fd/N,
 * /proc/self/cwd and /proc/self/root. Programs use them to reach a socket whose path is longer than
 * the 108 bytes of an address. For the broker they would be its own (or, below the sandbox's /proc,
 * nothing), so they are taken for what they are to the caller: its descriptor, its directory, its
 * root.
 */
#ifndef PORTA_BROKER_CALLER_LINK_H
#define PORTA_BROKER_CALLER_LINK_H

#include "broker/notify.h"

/* Where a path begins for its caller, and what is left of it. */
struct caller_place {
	int fd; /* a duplicate of the caller's descriptor, or -1: its directory or root */
	const char
	    *path; /* within the path given, or a constant; "": what `fd` holds is meant itself */
};

/*
 * Resolves such a link at the front of `path`; any other path stays as it is. What the place leads
 * to is not judged by having been named so. 0, or the negative errno that the caller is to see.
 * `fd` is then the caller's of this.
 */
int caller_link_resolve(struct notify *notify, const struct notify_request *request,
			const char *path, struct caller_place *ret_place);

#endif
