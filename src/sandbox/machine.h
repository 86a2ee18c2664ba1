/*
 * What this machine can enforce, found by trying, not by version numbers. `porta doctor`
 * prints it, the plan is made by it. A test that errs counts as "no".
 */
#ifndef PORTA_SANDBOX_MACHINE_H
#define PORTA_SANDBOX_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/policy.h"
#include "sandbox/plan.h"
#include "util/strings.h"

struct machine {
	uid_t uid; /* effective */
	gid_t gid;
	bool user_namespaces;	     /* an unprivileged user namespace with a mount namespace can be made and used */
	char user_namespaces_why[256]; /* the reason if not: a sentence, with the fix */
	int landlock_abi;	     /* 0: none; see landlock(7) */
	bool seccomp_filter;
	bool seccomp_listener;	     /* SECCOMP_FILTER_FLAG_NEW_LISTENER and the notification flags that the door needs */
	bool seccomp_wait_killable;
	bool seccomp_sync_wake_up;
	bool pidfd_getfd;
	bool ptrace_access;	     /* process_vm_readv and pidfd_getfd on a descendant: Yama's ptrace_scope below 3 */
	bool new_proc;		     /* a new /proc can be mounted in the namespace */
	bool dnotify;
	bool mount_setattr;
	bool cgroup_delegated;	     /* a cgroup v2 of this user's, with memory, pids and cpu controllers */
	char cgroup_why[256];	     /* the reason if not: half a sentence */
};

/*
 * Fills in what making a plan needs at each run, cheaply: Landlock's ABI, seccomp's actions. Namespaces are found
 * out by making the sandbox itself, and count as there until then. Only where something may keep the door from
 * working (a seccomp filter around porta, Yama) is that tried, by short-lived children.
 */
void machine_probe_quick(struct machine *ret_machine);
/* Everything, for `porta doctor`: starts short-lived children and takes their namespaces down again. */
void machine_probe_full(struct machine *ret_machine);

/*
 * In a child that was made with new user and mount namespaces: whether they are of any use. AppArmor lets them be
 * made and nothing be done in them; what covers a part of /proc keeps a new one from being mounted.
 */
enum machine_namespace {
	MACHINE_NAMESPACE_USABLE,
	MACHINE_NAMESPACE_NO_MOUNTS,
	MACHINE_NAMESPACE_NO_PROC,
};
enum machine_namespace machine_try_namespace(void);

/* The best tier that the machine gives. */
enum sandbox_tier machine_tier(const struct machine *machine);
/* Why it is not the first tier, as half a sentence; "" where it is. Valid as long as `machine`. */
const char *machine_tier_cause(const struct machine *machine);

/* The state of one guarantee on this machine, in its best tier. */
struct machine_verdict {
	bool holds;
	char why[256]; /* if not: half a sentence; machine_tier_cause may be behind it */
	char fix[512]; /* the exact command or setting that would make it hold, or "" */
};
/* Some hold for the policies only that need no more: what a plan lacks is judged there (missing.h). */
void machine_judge(const struct machine *machine, enum guarantee guarantee,
		   struct machine_verdict *ret_verdict);
/* One of the lines of doctor: the facts, as text and as a JSON object. */
void machine_explain(const struct machine *machine, struct strbuf *out);
void machine_explain_json(const struct machine *machine, struct strbuf *out);

#endif
