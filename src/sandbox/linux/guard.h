/*
 * The guard: holds the protected names during the run. It lives in init, which has
 * the mount namespace's rights and outlives every program inside, and clears its
 * placeholders away before it exits, also when the broker has gone.
 *
 * What it cannot do, for SECURITY.md:
 * - A name that does not exist can be made, and is there for 0.1 to 1 ms before it is taken away; a
 * program outside that reads it in that time reads what the sandbox wrote.
 * - A file that a program outside replaces is writable for the same time. Of git's configurations a
 * copy is kept: new settings that run programs are put back, as soon as the change is seen and
 * again at the end.
 * - Repositories that are made inside are not guarded. The end of a run looks at the top of each
 * mount and at the directories there (GUARD_AUDIT_ENTRIES_MAX), and tells of configurations and
 * hooks that run programs.
 */
#ifndef PORTA_SANDBOX_LINUX_GUARD_H
#define PORTA_SANDBOX_LINUX_GUARD_H

#include "sandbox/plan.h"
#include "util/error.h"

/*
 * The real-time signal that dnotify (fcntl(2), F_NOTIFY) sends to init; blocked, and read by
 * signalfd.
 */
#define GUARD_SIGNAL (SIGRTMIN + 3)

/* Entries of a mount's top that the end of a run looks at, and events that it makes of them. */
#define GUARD_AUDIT_ENTRIES_MAX 4096
#define GUARD_AUDIT_EVENTS_MAX	64

/* `code` of a CONTROL_EVENT_GUARD, and what the third line of its text is then. */
enum guard_event {
	GUARD_EVENT_TAKEN, /* the name was made inside (or by a program outside) and moved to the
			      third line's path */
	GUARD_EVENT_LEFT, /* the same, but it could not be moved and is read-only from now on; third
			     line empty */
	GUARD_EVENT_PUT_BACK,	 /* a git configuration got settings that run programs: it is as
				    before, the other is kept */
	GUARD_EVENT_NEW_PROGRAM, /* a new repository's configuration or hook runs programs; the
				    settings' names, or empty */
	GUARD_EVENT_REFUSED, /* a lock for writing a git configuration was seen, which could not take
				its place; third line empty */
	GUARD_EVENT_NOT_ALL, /* a mount's top has too many entries to look through all of them;
				third line empty */
};

struct guard;

/*
 * Opens the directories to watch (through the sandbox's mounts for mounting, and as the host sees
 * them, from `host_root_fd`, for moving files across to quarantine), and begins to watch. Called by
 * init after the mounts stand and before the command runs. NULL with 0 where the plan has no
 * watches. `host_root_fd` is a handle of "/" that was opened outside, in the host's mount
 * namespace. The plan and both descriptors stay the caller's and must outlive the guard.
 */
int guard_start(const struct plan *plan, int host_root_fd, int control_fd, struct guard **ret_guard,
		struct error *err);
/*
 * Something changed in a watched directory: looks at all names of `directory_fd` (si_fd), or of all
 * for -1.
 */
void guard_look(struct guard *guard, int directory_fd);
/*
 * The tree is dead: a last look, git configurations compared, placeholders removed. Everything is
 * told by CONTROL_EVENT_GUARD while the broker is there. Frees the guard; NULL is allowed, here and
 * above.
 */
void guard_end(struct guard *guard);

/*
 * For the broker, where init was killed: removes the placeholder that a CONTROL_EVENT_PLACEHOLDER
 * named, if it is still one (an empty directory of the mode that only placeholders have).
 */
void guard_clear_placeholder(const char *text);
/*
 * Likewise when init was killed and everything inside is dead: the last look in its place, for names
 * that did not exist. Tells by CONTROL_EVENT_GUARD.
 */
void guard_settle(const struct plan *plan, int control_fd);

#endif
