/* porta run: a command in a sandbox. */
#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_prepare.h"

static int
run_plan(const struct run_options *options)
{
	struct error err = ERROR_INIT;
	struct machine machine = { 0 };
	struct plan plan;
	int code;

	plan_init(&plan);
	machine_probe_quick(&machine);
	code = run_prepare(options, &machine, &plan, &err);
	if (code == EXIT_CODE_OK) {
		code = broker_run(&options->policy, &plan, &options->broker, &err);
		if (code < 0)
			code = output_fail("run", &err, EXIT_CODE_FAILED);
	} else {
		output_fail("run", &err, code);
	}
	plan_done(&plan);
	return code;
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
		code = run_plan(&options);
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
