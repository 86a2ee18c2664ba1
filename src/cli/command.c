/* What all commands share: finding them, their help, and the plain command line; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <string.h>

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

/* Commands that a build without WASM agents lacks. */
static bool
is_agent_command(const char *name)
{
	static const char *const names[] = { "serve", "inspect", "validate", "build", "cache" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_equal(name, names[i]))
			return true;
	}
	return false;
}

int
command_unknown(const char *name, struct error *err)
{
	_cleanup_free_ char *quoted = output_quote_name(name);
	const char *nearest = str_nearest(name, command_names);

	if (!PORTA_HAS_WASM && is_agent_command(name))
		return error_set(err, -ENOTSUP,
				 "%s is about WASM agents, and this porta is built without them", name);
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

/* "--flag VALUE" or "--flag=VALUE"; *index is moved behind what was taken. 1: it is this flag. */
static int
take_value(const char *flag, int argc, char **argv, int *index, const char **ret_value,
	   struct error *err)
{
	size_t length = strlen(flag);
	const char *argument = argv[*index];

	if (!str_starts_with(argument, flag) ||
	    (argument[length] != '\0' && argument[length] != '='))
		return 0;
	if (*ret_value != NULL)
		return error_set(err, -EINVAL, "%s is given twice", flag);
	if (argument[length] == '=') {
		*ret_value = argument + length + 1;
		return 1;
	}
	if (*index + 1 >= argc || run_option_looks_like(argv[*index + 1]))
		return error_set(err, -EINVAL, "%s needs a value, as in: %s %s", flag, flag,
				 str_equal(flag, "--cap") ? "io,fs" : "worker");
	*ret_value = argv[++*index];
	return 1;
}

/* "--json, --profile and --cap and --help" */
static void
put_flag_names(const struct command *command, struct strbuf *out)
{
	if (command->has_json)
		strbuf_puts(out, command->has_grants ? "--json, " : "--json and ");
	if (command->has_grants)
		strbuf_puts(out, "--profile, --cap and ");
	strbuf_puts(out, "--help");
}

static int
parse_flag(const struct command *command, int argc, char **argv, int *index,
	   struct command_arguments *arguments, struct error *err)
{
	const char *flag = argv[*index];
	_cleanup_free_ char *quoted = NULL;
	struct strbuf names = STRBUF_INIT;
	int r = 0;

	if (str_equal(flag, "--help") || str_equal(flag, "-h")) {
		arguments->help = true;
		return 0;
	}
	if (command->has_json && str_equal(flag, "--json")) {
		arguments->json = true;
		return 0;
	}
	if (command->has_grants)
		r = take_value("--profile", argc, argv, index, &arguments->profile, err);
	if (command->has_grants && r == 0)
		r = take_value("--cap", argc, argv, index, &arguments->capabilities, err);
	if (r != 0)
		return MIN(r, 0);
	quoted = output_quote_name(flag);
	put_flag_names(command, &names);
	error_set(err, -EINVAL, "unknown flag %s (its flags are %s)", quoted, names.text);
	strbuf_done(&names);
	return -EINVAL;
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
			r = parse_flag(command, argc, argv, &i, &arguments, err);
			if (r < 0)
				return r;
			continue;
		}
		if ((command->words != NULL || command->takes_file) && arguments.word == NULL) {
			arguments.word = argv[i];
			continue;
		}
		quoted = output_quote(argv[i]);
		return error_set(err, -EINVAL, "%s is a word too many (right form: porta %s%s%s)",
				 quoted, command->name, *command->form != '\0' ? " " : "",
				 command->form);
	}
	if (command->takes_file && !arguments.help && arguments.word == NULL)
		return error_set(err, -EINVAL, "which module? (right form: porta %s %s)",
				 command->name, command->form);
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
