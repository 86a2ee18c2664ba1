/*
 * The guard: holds the protected names during the run. It lives in init, which has
 * the mount namespace's rights and outlives every program inside, and clears its
 * placeholders away before it exits, also when the broker has gone.
 */
#ifndef PORTA_SANDBOX_LINUX_GUARD_H
#define PORTA_SANDBOX_LINUX_GUARD_H

#include "sandbox/plan.h"
#include "util/error.h"

/* The real-time signal that dnotify (fcntl(2), F_NOTIFY) sends to init; blocked, and read by signalfd. */
#define GUARD_SIGNAL (SIGRTMIN + 3)

struct guard;

/*
 * Opens the directories to watch (through the sandbox's mounts for mounting, and as the host sees them, from
 * `host_root_fd`, for moving files across to quarantine), and begins to watch. Called
 * by init after the mounts stand and before the command runs. NULL with 0 where the plan has no watches.
 */
int guard_start(const struct plan *plan, int host_root_fd, int control_fd, struct guard **ret_guard,
		struct error *err);
/* Something changed in a watched directory: looks at all names of `directory_fd` (si_fd), or of all for -1. */
void guard_look(struct guard *guard, int directory_fd);
/*
 * The tree is dead: a last look, git configurations compared, placeholders removed. Everything is told by
 * CONTROL_EVENT_GUARD while the broker is there.
 */
void guard_end(struct guard *guard);
/*
 * For the broker, when init did not live to clear up: removes a placeholder by what its
 * CONTROL_EVENT_PLACEHOLDER said. One that is gone, or is no longer porta's, is left alone.
 */
void guard_clear_placeholder(const char *text);

#endif
