/* What all commands share: finding them, their help, and the plain command line; see command.h. */
#include "cli/command.h"

#include <errno.h>

#include "cli/output.h"
#include "cli/run_options.h"

/* Where the summaries begin, behind the commands' names. */
#define SUMMARY_COLUMN 14

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (str_equal(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

int
command_unknown(const char *name, struct error *err)
{
	_cleanup_free_ char *quoted = output_quote_name(name);
	const char *nearest = str_nearest(name, command_names);

	if (run_option_looks_like(name))
		return error_set(
		    err, -EINVAL,
		    "unknown flag %s: flags come behind a command, as in: porta run bash -v .",
		    quoted);
	if (nearest != NULL)
		return error_set(err, -EINVAL, "there is no command %s (did you mean %s?)", quoted,
				 nearest);
	return error_set(err, -EINVAL,
			 "there is no command %s ('porta help' lists them; to run it in a sandbox: "
			 "porta run <target>)",
			 quoted);
}

static int
parse_flag(const struct command *command, const char *flag, struct command_arguments *arguments,
	   struct error *err)
{
	_cleanup_free_ char *quoted = NULL;

	if (str_equal(flag, "--help") || str_equal(flag, "-h")) {
		arguments->help = true;
		return 0;
	}
	if (command->has_json && str_equal(flag, "--json")) {
		arguments->json = true;
		return 0;
	}
	quoted = output_quote_name(flag);
	return error_set(err, -EINVAL, "unknown flag %s (its flags are %s--help)", quoted,
			 command->has_json ? "--json and " : "");
}

int
command_parse_arguments(const struct command *command, int argc, char **argv,
			struct command_arguments *ret_arguments, struct error *err)
{
	struct command_arguments arguments = { 0 };

	for (int i = 1; i < argc && !arguments.help; i++) {
		_cleanup_free_ char *quoted = NULL;
		int r;

		if (run_option_looks_like(argv[i])) {
			r = parse_flag(command, argv[i], &arguments, err);
			if (r < 0)
				return r;
			continue;
		}
		if (command->words != NULL && arguments.word == NULL) {
			arguments.word = argv[i];
			continue;
		}
		quoted = output_quote(argv[i]);
		return error_set(err, -EINVAL, "%s is a word too many (right form: porta %s%s%s)",
				 quoted, command->name, *command->form != '\0' ? " " : "",
				 command->form);
	}
	*ret_arguments = arguments;
	return 0;
}

static const char list_head[] =
    "Usage: porta <command> [arguments]\n"
    "\n"
    "Runs code that you do not trust. What it may change and reach is what you name;\n"
    "the kernel keeps it to that, without root, container or daemon.\n"
    "\n"
    "Commands\n";
static const char list_tail[] =
    "\n"
    "Examples\n"
    "  porta run bash -v .            a shell that can change this directory alone\n"
    "  porta run npm -v . -- install\n"
    "  porta run curl --allow-net '*:443' -- https://example.com\n"
    "\n"
    "'porta help COMMAND' or 'porta COMMAND --help' tells more.\n";

void
command_list_help(struct strbuf *out)
{
	strbuf_puts(out, list_head);
	for (size_t i = 0; commands[i] != NULL; i++)
		strbuf_printf(out, "  %-*s%s\n", SUMMARY_COLUMN - 2, commands[i]->name,
			      commands[i]->summary);
	strbuf_puts(out, list_tail);
}

void
command_write_help(const struct command *command, struct strbuf *out)
{
	strbuf_printf(out, "Usage: porta %s%s%s\n\n", command->name,
		      *command->form != '\0' ? " " : "", command->form);
	strbuf_puts(out, command->usage);
	if (command->has_run_options)
		run_options_write_help(command->name, out);
}
