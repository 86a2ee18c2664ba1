/*
 * The descriptors, the process group and the signal mask that the command starts
 * with: the inside half of broker/stdio.h and broker/terminal.h.
 */
#ifndef PORTA_SANDBOX_LINUX_DESCRIPTORS_H
#define PORTA_SANDBOX_LINUX_DESCRIPTORS_H

#include "sandbox/plan.h"
#include "util/error.h"

/*
 * Runs in the command's process when the mounts stand, and before capabilities, Landlock and
 * seccomp: makes 0, 1 and 2 what plan->stdio says, and closes every other descriptor but `kept_fd`
 * (above 2, or -1). What is opened by path must be the inode that the plan names (-ESTALE).
 */
int descriptors_apply(const struct plan *plan, int kept_fd, struct error *err);

/*
 * Runs in the command's process, before or after the above: it leads a process group of its own,
 * which takes the terminal where plan->in_foreground says so, and gets back the signal
 * mask that porta was started with. Dispositions need nothing: porta never ignores a signal, it
 * blocks it, so what was ignored before porta (nohup) still is, and handlers end with exec.
 */
int terminal_take(const struct plan *plan);

/*
 * Runs in init at first: closes what it has of the broker, but for 0-2, the plan's inside ends and
 * the two that are its own. A copy of the broker's end of a pump would keep the command from ever
 * reading the end of its input.
 */
int descriptors_drop_broker(const struct plan *plan, int control_fd, int host_root_fd);

/*
 * Runs in init when the command has its descriptors: lets go of init's own copies, so that a
 * pipe's other end sees what the command closes. 0-2 become /dev/null.
 */
void descriptors_release(const struct plan *plan);

#endif
