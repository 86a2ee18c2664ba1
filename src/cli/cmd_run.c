/* porta run: a command in a sandbox. */
#include <errno.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_prepare.h"

/* Plans and runs. Returns the code to end with, or minus that code where porta failed, and a
 * sentence. */
static int
try_run(const struct run_options *options, const struct machine *machine,
	bool *ret_lacks_namespaces, struct error *err)
{
	struct plan plan;
	int r;

	plan_init(&plan);
	r = -(int)run_prepare(options, machine, &plan, err);
	if (r == 0) {
		r = broker_run(&options->policy, &plan, &options->broker, err);
		*ret_lacks_namespaces = r == -EOPNOTSUPP;
		if (r < 0)
			r = r == -EACCES ? -EXIT_CODE_NOT_RUNNABLE : -EXIT_CODE_FAILED;
	}
	plan_done(&plan);
	return r;
}

static int
run_planned(const struct run_options *options)
{
	bool lacks_namespaces = false;
	struct error err = ERROR_INIT;
	struct machine machine = { 0 };
	int r;

	machine_probe_quick(&machine);
	r = try_run(options, &machine, &lacks_namespaces, &err);
	if (lacks_namespaces) {
		/* That they cannot be had shows only when they are made: plan again, without. */
		machine_probe_full(&machine);
		machine.user_namespaces = false;
		r = try_run(options, &machine, &lacks_namespaces, &err);
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
