/* porta up: what porta.toml says, run. */
#include "cli/command.h"

static int
run_up(int argc, char **argv)
{
	return command_run_target(&command_up, argc, argv);
}

const struct command command_up = {
	.name = "up",
	.form = "[options] [-- args...]",
	.summary = "run what porta.toml says",
	.usage =
	    "Runs the command or agent of porta.toml, of this directory or the nearest one\n"
	    "above it, under the policy that it says. Relative paths in the file are relative\n"
	    "to it; the command starts in this directory. Flags add to the file's, and what\n"
	    "can be said only once (--net, --timeout) counts instead of its word. Arguments\n"
	    "behind -- follow those of the file. 'porta explain' shows what it comes to,\n"
	    "'porta init' writes a file.\n"
	    "\n"
	    "  porta up\n"
	    "  porta up -- --print \"hi\"\n"
	    "  porta up --net blocked --file other.toml\n",
	.has_run_options = true,
	.run = run_up,
};
