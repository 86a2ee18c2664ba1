/* A command in a sandbox; see run.h. */
#include "broker/run.h"

#include <errno.h>
#include <stdio.h>

#include "util/exit_code.h"

/* Plans that are made when programs outside change what they are made from, as git and editors do. */
#define PLANS_MAX 20

/* Why a plan came to nothing: found out only by making it. */
enum setback {
	SETBACK_NONE,
	SETBACK_PLANNING,   /* refused before anything was tried */
	SETBACK_NAMESPACES, /* they cannot be made, or not be used */
	SETBACK_CHANGED,    /* a file of the plan was replaced meanwhile */
};

struct run {
	const struct policy *policy;
	const struct sandbox_command *command;
	int kept_fds;
	const struct broker_options *options;
	struct machine machine;
};

int
run_plan(const struct policy *policy, const struct sandbox_command *command,
	 const struct machine *machine, struct plan *ret_plan, struct error *err)
{
	int r = sandbox_plan(policy, command, machine, ret_plan, err);

	if (r == -ENOENT)
		return -EXIT_CODE_NOT_FOUND;
	if (r == -EACCES)
		return -EXIT_CODE_NOT_RUNNABLE;
	return r < 0 ? -EXIT_CODE_FAILED : 0;
}

/* Plans and runs; as run_command. */
static int
try_run(const struct run *run, enum setback *ret_setback, struct error *err)
{
	struct plan plan;
	int r;

	*ret_setback = SETBACK_NONE;
	plan_init(&plan);
	r = run_plan(run->policy, run->command, &run->machine, &plan, err);
	if (r == -EXIT_CODE_FAILED)
		*ret_setback = SETBACK_PLANNING;
	if (r == 0) {
		plan.kept_fds = run->kept_fds;
		r = broker_run(run->policy, &plan, run->options, err);
		if (r == -EOPNOTSUPP)
			*ret_setback = SETBACK_NAMESPACES;
		if (r == -ESTALE)
			*ret_setback = SETBACK_CHANGED;
		if (r < 0)
			r = r == -EACCES ? -EXIT_CODE_NOT_RUNNABLE : -EXIT_CODE_FAILED;
	}
	plan_done(&plan);
	return r;
}

/* What a look at the whole machine says, and what trying said: that namespaces cannot be had. */
static void
look_again(struct machine *machine, enum setback setback, const struct error *err)
{
	machine_probe_full(machine);
	if (setback != SETBACK_NAMESPACES || machine_tier(machine) != SANDBOX_TIER_NAMESPACES)
		return;
	machine->user_namespaces = false;
	/* Cut where it is long. */
	snprintf(machine->user_namespaces_why, sizeof(machine->user_namespaces_why), "%.*s",
		 (int)sizeof(machine->user_namespaces_why) - 1, err->message);
}

int
run_command(const struct policy *policy, const struct sandbox_command *command, int kept_fds,
	    const struct broker_options *options, struct error *err)
{
	struct run run = {
		.policy = policy, .command = command, .kept_fds = kept_fds, .options = options
	};
	enum setback setback;
	bool looked_again = false;
	int plans = 0;
	int r;

	machine_probe_quick(&run.machine);
	for (;;) {
		r = try_run(&run, &setback, err);
		if (setback == SETBACK_NONE || ++plans == PLANS_MAX)
			return r;
		if (setback == SETBACK_CHANGED)
			continue;
		if (looked_again)
			return r;
		/* A plan that was refused is made again too: all that this machine lacks is told at once. */
		look_again(&run.machine, setback, err);
		looked_again = true;
	}
}
