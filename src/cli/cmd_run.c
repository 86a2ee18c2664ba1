/* porta run: a command in a sandbox. */
#include <errno.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_prepare.h"

/* Plans that are made when programs outside change what they are made from, as git and editors do. */
#define PLANS_MAX 20

/* Why a plan came to nothing: found out only by making it. */
enum setback {
	SETBACK_NONE,
	SETBACK_PLANNING,   /* refused before anything was tried */
	SETBACK_NAMESPACES, /* they cannot be made, or not be used */
	SETBACK_CHANGED,    /* a file of the plan was replaced meanwhile */
};

/*
 * Plans and runs. Returns the code to end with, or minus that code where porta failed, and a
 * sentence.
 */
static int
try_run(const struct run_options *options, const struct machine *machine, enum setback *ret_setback,
	struct error *err)
{
	struct plan plan;
	int r;

	*ret_setback = SETBACK_NONE;
	plan_init(&plan);
	r = -(int)run_prepare(options, machine, &plan, err);
	if (r == -EXIT_CODE_FAILED)
		*ret_setback = SETBACK_PLANNING;
	if (r == 0) {
		r = broker_run(&options->policy, &plan, &options->broker, err);
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
	snprintf(machine->user_namespaces_why, sizeof(machine->user_namespaces_why), "%s", err->message);
}

static int
run_planned(const struct run_options *options)
{
	struct error err = ERROR_INIT;
	struct machine machine = { 0 };
	enum setback setback;
	bool looked_again = false;
	int plans = 0;
	int r;

	machine_probe_quick(&machine);
	for (;;) {
		r = try_run(options, &machine, &setback, &err);
		if (setback == SETBACK_NONE || ++plans == PLANS_MAX)
			break;
		if (setback == SETBACK_CHANGED)
			continue;
		if (looked_again)
			break;
		/* A plan that was refused is made again too: all that this machine lacks is told at once. */
		look_again(&machine, setback, &err);
		looked_again = true;
	}
	return r < 0 ? output_fail("run", &err, -r) : r;
}

static int
run_run(int argc, char **argv)
{
	struct run_options options;
	struct error err = ERROR_INIT;
	struct strbuf help = STRBUF_INIT;
	int code;

	run_options_init(&options, command_run.name);
	if (run_options_parse(&options, argc, argv, &err) < 0) {
		code = output_fail("run", &err, EXIT_CODE_FAILED);
	} else if (options.help) {
		command_write_help(&command_run, &help);
		code = output_print(&help);
		strbuf_done(&help);
	} else {
		code = run_planned(&options);
	}
	run_options_done(&options);
	return code;
}

const struct command command_run = {
	.name = "run",
	.form = "<target> [options] [-- args...]",
	.summary = "run a command in a sandbox",
	.usage =
	    "Runs a command that can change only what -v names and /tmp, and reach only the\n"
	    "network that it is allowed. Its exit code is passed through; 124 is --timeout,\n"
	    "125 an error of porta, 126 a command that cannot be executed, 127 one not found.\n"
	    "\n"
	    "  porta run bash -v .\n"
	    "  porta run node -v . --net loopback_only -- server.js\n"
	    "  porta run git -v . --allow-net 'git.example.org:443' -- pull\n",
	.has_run_options = true,
	.run = run_run,
};
