/* porta run: a command in a sandbox. */
#include "broker/run.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_agent.h"
#include "cli/run_prepare.h"

/* Returns the exit code to end with; says why where porta failed. */
static int
run_native(const struct run_options *options)
{
	struct run_prepared prepared = RUN_PREPARED_INIT;
	struct error err = ERROR_INIT;
	int r = -EXIT_CODE_FAILED;

	if (run_prepare(options, &prepared, &err) == 0)
		r = run_command(&options->policy, &prepared.command, 0, &options->broker, &err);
	run_prepared_done(&prepared);
	return r < 0 ? output_fail(options->command_name, &err, -r) : r;
}

int
command_run_target(const struct command *command, int argc, char **argv)
{
	struct run_options options;
	struct error err = ERROR_INIT;
	struct strbuf help = STRBUF_INIT;
	int code;

	run_options_init(&options, command->name);
	if (run_options_parse(&options, argc, argv, &err) < 0) {
		code = output_fail(command->name, &err, EXIT_CODE_FAILED);
	} else if (options.help) {
		command_write_help(command, &help);
		code = output_print(&help);
		strbuf_done(&help);
	} else {
		code = run_is_agent(&options) ? run_agent(&options) : run_native(&options);
	}
	run_options_done(&options);
	return code;
}

static int
run_run(int argc, char **argv)
{
	return command_run_target(&command_run, argc, argv);
}

const struct command command_run = {
	.name = "run",
	.form = "<target> [options] [-- args...]",
	.summary = "run a command or a WASM agent in a sandbox",
	.usage =
	    "Runs a command that can change only what -v names and /tmp, and reach only the\n"
	    "network that it is allowed. Its exit code is passed through; 124 is --timeout,\n"
	    "125 an error of porta, 126 a command that cannot be executed, 127 one not found.\n"
	    "\n"
	    "A target that ends with .wasm is a WASM agent, which gets the capabilities of\n"
	    "--profile, --cap or its manifest, and the directories that -v names (none: this\n"
	    "one, to read). Codes of its own: 115 no agent, 116 refused, 117 crash, 118 trap,\n"
	    "120 --step-limit, 121 --max-memory, 122 a table, 123 the stack.\n"
	    "\n"
	    "  porta run bash -v .\n"
	    "  porta run node -v . --net loopback_only -- server.js\n"
	    "  porta run agent.wasm --profile worker --timeout 5s -- args\n"
	    "  porta run git -v . --allow-net 'git.example.org:443' -- pull\n",
	.has_run_options = true,
	.run = run_run,
};
