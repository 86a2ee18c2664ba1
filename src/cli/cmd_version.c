/* porta version. */
#include "cli/command.h"
#include "cli/output.h"

static int
run_version(int argc, char **argv)
{
	struct command_arguments arguments;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int code;

	if (command_parse_arguments(&command_version, argc, argv, &arguments, &err) < 0)
		return output_fail("version", &err, EXIT_CODE_FAILED);
	if (arguments.help)
		command_write_help(&command_version, &text);
	else if (arguments.json)
		strbuf_puts(&text, "{\"version\":\"" PORTA_VERSION "\"}\n");
	else
		strbuf_puts(&text, "porta " PORTA_VERSION "\n");
	code = output_print(&text);
	strbuf_done(&text);
	return code;
}

const struct command command_version = {
	.name = "version",
	.form = "[--json]",
	.summary = "show the version of porta",
	.usage = "Shows the version of porta.\n"
		 "\n"
		 "  --json    as a JSON object\n",
	.has_json = true,
	.run = run_version,
};
