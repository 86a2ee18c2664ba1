/*
 * The unix sockets of the host that --allow-unix names. A path is resolved when the run
 * begins; later its last component may be another socket (a service that was
 * restarted), but never one behind a symlink that was put there meanwhile. Where the
 * sandbox itself can write, only the very file that was there at the start counts.
 */
#ifndef PORTA_BROKER_UNIX_ALLOWED_H
#define PORTA_BROKER_UNIX_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/unix_path.h"
#include "sandbox/plan.h"
#include "util/strings.h"

struct unix_allowed_item;

struct unix_allowed {
	struct unix_allowed_item *items;
	size_t count;
};

void unix_allowed_init(struct unix_allowed *allowed, const struct strv *paths,
		       const struct plan *plan);
void unix_allowed_done(struct unix_allowed *allowed);
bool unix_allowed_contains(const struct unix_allowed *allowed, const struct unix_path_file *file);

#endif
