/*
 * The sandbox: a plan made real around one command. One header, one back end an
 * OS (linux/, macos/, null/).
 *
 * sandbox_plan() is pure looking: it resolves paths and inspects descriptors, and
 * changes nothing. sandbox_start() makes the namespaces, and returns as soon as
 * init runs; what happens inside is told over the control socket (control.h).
 */
#ifndef PORTA_SANDBOX_SANDBOX_H
#define PORTA_SANDBOX_SANDBOX_H

#include <sys/types.h>

#include "policy/policy.h"
#include "sandbox/machine.h"
#include "sandbox/plan.h"
#include "util/error.h"

/* What is to run; everything stays the caller's. */
struct sandbox_command {
	const char *name;	   /* as typed: looked up in PATH of `environment` if it has no slash */
	const struct strv *argv;   /* argv[0] is `name` */
	const struct strv *environment; /* from env_build */
};

/*
 * Makes the plan. Returns 0; -ENOENT where the command was not found (exit 127); -EACCES
 * where it cannot be executed (126); another negative errno for what the policy asks
 * and cannot be had: the sentence names the flag, the missing guarantee and --degrade.
 * `ret_plan` is initialised by the caller with plan_init.
 */
int sandbox_plan(const struct policy *policy, const struct sandbox_command *command,
		 const struct machine *machine, struct plan *ret_plan, struct error *err);

struct sandbox {
	pid_t init_pid;	/* pid 1 inside; a child of the caller, to be reaped by it */
	int init_pidfd;
	int control_fd; /* SOCK_SEQPACKET, see control.h; closing it ends the sandbox */
};

/*
 * Starts init in its namespaces. The broker calls this once, before it has any
 * thread. On failure nothing is left behind; -EOPNOTSUPP where no user namespace can be made.
 */
int sandbox_start(const struct plan *plan, struct sandbox *ret_sandbox, struct error *err);
/* Closes the descriptors; does not wait. */
void sandbox_done(struct sandbox *sandbox);

#endif
