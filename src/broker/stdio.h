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
 * Looks at the caller's descriptors and fills in plan->stdio, has_terminal,
 * in_foreground and signal_mask; makes the pipes for what must be pumped. Called before the broker
 * changes its signal mask. The plan's mounts (in the lower tiers: its grants) say what can be
 * opened again inside; for the terminal one is added, PLAN_MOUNT_CONSOLE. What
 * is no stream of data (a strange device, a socket that sends anywhere, an internet socket
 * unless the network is full) is refused with a sentence that names the descriptor (-EPERM).
 *
 * What becomes of each, told by its access mode (O_RDWR counts as reading on 0, writing on 1 and 2):
 *
 *	regular file, reading	opened again; pumped where the sandbox has another file at its path
 *	regular file, writing	pumped, on the caller's own description: other writers share its offset
 *				(`{ porta run a & b; } > log`). With O_APPEND, inside a writable mount: opened again
 *	unlinked file		kept (a heredoc of the shell, a memfd)
 *	anonymous pipe		kept
 *	named FIFO		pumped
 *	unix stream, seqpacket	kept
 *	the terminal		opened again as /dev/console. It is the controlling one, or without one the first of 0-2
 *	another terminal	pumped
 *	null, zero, full, random, urandom, tty	opened again in /dev
 *	directory		opened again
 */
int stdio_plan(const struct policy *policy, struct plan *plan, struct stdio_pumps **ret_pumps,
	       struct error *err);
/*
 * After the command started: closes the inside ends here, lets go of 0 and 1 where
 * the command has the very same ones (so that a pipe's other end hears when it closes them), blocks SIGPIPE and
 * SIGXFSZ, and pumps in the loop.
 */
void stdio_start(struct stdio_pumps *pumps, struct plan *plan, struct loop *loop);
/*
 * After the tree has died, before anything is told on stderr: drains what is left in the
 * pipes, and sets the offset of the caller's file on stdin to where the command left it.
 * `patience`: how long a reader that takes nothing is waited for, or NULL.
 * A negative errno with a sentence where output was lost (a full disk).
 */
int stdio_finish(struct stdio_pumps *pumps, const struct plan *plan, const struct timespec *patience,
		 struct error *err);
void stdio_free(struct stdio_pumps *pumps);

#endif
