/* porta help: the list of commands, or one command's own text. */
#include <errno.h>

#include "cli/command.h"
#include "cli/output.h"

static int
run_help(int argc, char **argv)
{
	struct command_arguments arguments;
	const struct command *about;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int code;

	if (command_parse_arguments(&command_help, argc, argv, &arguments, &err) < 0)
		return output_fail("help", &err, EXIT_CODE_FAILED);
	about = arguments.help ? &command_help : NULL;
	if (arguments.word != NULL && !arguments.help) {
		about = command_find(arguments.word);
		if (about == NULL) {
			command_unknown(arguments.word, &err);
			return output_fail("help", &err, EXIT_CODE_FAILED);
		}
	}
	if (about != NULL)
		command_write_help(about, &text);
	else
		command_list_help(&text);
	code = output_print(&text);
	strbuf_done(&text);
	return code;
}

const struct command command_help = {
	.name = "help",
	.form = "[command]",
	.summary = "show this list, or what one command does",
	.usage = "Shows the list of commands, or what one command does and its flags.\n"
		 "\n"
		 "  porta help run\n",
	.words = command_names,
	.run = run_help,
};
