/*
 * The descriptors 0, 1 and 2: what of them the command may have. They give no more
 * than their data: metadata calls and reopening through /proc/self/fd must not reach the host's file.
 */
#ifndef PORTA_BROKER_STDIO_H
#define PORTA_BROKER_STDIO_H

#include "broker/loop.h"
#include "policy/policy.h"
#include "sandbox/plan.h"
#include "util/error.h"

struct stdio_pumps;

/*
 * Looks at the caller's descriptors and fills in plan->stdio, has_terminal and
 * in_foreground; makes the pipes for what must be pumped. `writable` are the plan's writable
 * mounts (already in the plan). A strange device, and an internet socket unless the network is full, is refused
 * with a sentence (-EPERM).
 */
int stdio_plan(const struct policy *policy, struct plan *plan, struct stdio_pumps **ret_pumps,
	       struct error *err);
/* After the sandbox started: closes the inside ends here and pumps in the loop. */
void stdio_start(struct stdio_pumps *pumps, struct plan *plan, struct loop *loop);
/*
 * After the tree has died: drains what is left in the pipes, and sets the offsets of
 * the caller's regular files to where the command left them.
 */
void stdio_finish(struct stdio_pumps *pumps, const struct plan *plan);
void stdio_free(struct stdio_pumps *pumps);

#endif
