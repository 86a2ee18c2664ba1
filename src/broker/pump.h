/*
 * A pump: a pipe whose one end the sandbox has, and whose other end the broker fills
 * from, or empties into, a descriptor that the sandbox must not have itself.
 */
#ifndef PORTA_BROKER_PUMP_H
#define PORTA_BROKER_PUMP_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "broker/loop.h"
#include "util/error.h"

struct pump;

/*
 * Makes the pipe for descriptor `number` (0-2), a regular file, a named FIFO or a terminal.
 * `is_output`: the sandbox writes. *ret_inside_fd is the caller's.
 */
int pump_new(int number, bool is_output, struct pump **ret_pump, int *ret_inside_fd,
	     struct error *err);
void pump_free(struct pump *pump);
/* Begins to pump; the caller has closed its copy of the inside end. */
void pump_start(struct pump *pump, struct loop *loop);
/*
 * The tree is dead. Output: what is left in the pipe is passed on, and while that waits for a slow reader the
 * signals of `mask` alone are blocked; a reader that takes nothing for `patience` loses the rest (NULL: it is waited
 * for). Input from a file: the caller's offset is set behind what was read inside. A negative errno is output that
 * could not be written (a full disk).
 */
int pump_finish(struct pump *pump, const struct timespec *patience, const sigset_t *mask);

#endif
