/*
 * Limits on all processes of a sandbox together, by a cgroup v2 that was delegated to this user.
 * Follows the kernel's Documentation/admin-guide/cgroup-v2.rst.
 *
 *	OWN                      where porta was started: writable, and no other process is in it
 *	  porta-supervisor-PID   porta and init, without limits: a group that gives controllers to
 *	                         its children may hold no process itself, so porta moves here
 *	  porta-run-PID          the command and all that it starts
 *
 * Init is not limited: the guard's last look must happen also when the command used up its memory.
 * Nothing inside can leave its group: cgroup file systems are read-only there, and clone3(2) is
 *closed.
 */
#ifndef PORTA_SANDBOX_LINUX_CGROUP_H
#define PORTA_SANDBOX_LINUX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "sandbox/plan.h"
#include "util/error.h"
#include "util/strings.h"

/* Appends the settings of the run's group, "FILE VALUE" each; nothing where no such limit is asked
 * for. */
void cgroup_add_settings(const struct policy_limits *limits, struct strv *settings);

/*
 * Finds porta's own group if it can give what `settings` need. Only looks. `proc_self` is
 * "/proc/self", of which `cgroup` and `mountinfo` are read. -EOPNOTSUPP with the reason as a
 * clause: there is no such group, a controller is missing, it is not this user's, or another
 * process is in it.
 */
int cgroup_find(const char *proc_self, const struct strv *settings, char **ret_path,
		struct error *err);

struct cgroup {
	int own_fd; /* -1: there is none */
	int run_fd;
	bool is_moved; /* porta is in the supervisor's group */
	struct strv controllers;
};

#define CGROUP_INIT                                                                                \
	{                                                                                          \
		.own_fd = -1, .run_fd = -1                                                         \
	}

/*
 * Makes the groups below plan->cgroup_path, moves porta, and sets plan->cgroup_procs_fd. Groups
 * that a killed porta left are removed first. On failure everything is as before.
 */
int cgroup_make(struct plan *plan, struct cgroup *ret_cgroup, struct error *err);
/* In the command's process: enters the run's group, if the plan has one. */
int cgroup_join(const struct plan *plan, struct error *err);
/* How often `event` of `file` happened in the run's group ("memory.events", "oom_kill"); 0 where
 * unknown. */
uint64_t cgroup_count_events(const struct cgroup *cgroup, const char *file, const char *event);
/*
 * Removes the groups, and moves porta back; when all processes of the run are gone and reaped.
 * What cannot be removed is left to the next run.
 */
void cgroup_done(struct cgroup *cgroup);

#endif
