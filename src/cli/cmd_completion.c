/* porta completion: scripts for bash, zsh and fish, made from the tables of commands and flags. */
#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_options.h"
#include "util/mem.h"

/*
 * The scripts, completion.bash and so on, as the build makes string literals of them. Where they
 * say @NAME@, a marker of that name below fills in.
 */
static const char bash_script[] =
#include "completion.bash.inc"
    ;
static const char zsh_script[] =
#include "completion.zsh.inc"
    ;
static const char fish_script[] =
#include "completion.fish.inc"
    ;

struct marker {
	const char *name;
	void (*put)(struct strbuf *out);
};

static bool
has_words(const struct run_option *option)
{
	return option->completion == RUN_OPTION_COMPLETE_WORDS ||
	       option->completion == RUN_OPTION_COMPLETE_WORDS_AND_FILES;
}

static bool
has_files(const struct run_option *option)
{
	return option->completion == RUN_OPTION_COMPLETE_FILES ||
	       option->completion == RUN_OPTION_COMPLETE_WORDS_AND_FILES;
}

/* The words of an option's value, with blanks between them; those of NAME=VALUE end with "=". */
static void
put_words(const struct run_option *option, struct strbuf *out)
{
	bool is_pair = strchr(option->value, '=') != NULL;
	const char *word;

	for (size_t i = 0; (word = option->word(i)) != NULL; i++)
		strbuf_printf(out, "%s%s%s", i > 0 ? " " : "", word, is_pair ? "=" : "");
}

/* The one argument of a command other than run and explain, and its flags. */
static void
put_command_words(const struct command *command, struct strbuf *out)
{
	strbuf_puts(out, command->has_json ? "--help --json" : "--help");
	strbuf_puts(out, command->has_grants ? " --profile --cap" : "");
	for (size_t i = 0; command->words != NULL && command->words[i] != NULL; i++)
		strbuf_printf(out, " %s", command->words[i]);
}

static void
put_commands(struct strbuf *out)
{
	for (size_t i = 0; command_names[i] != NULL; i++)
		strbuf_printf(out, "%s%s", i > 0 ? " " : "", command_names[i]);
}

static void
put_flags(const char *command_name, struct strbuf *out)
{
	for (size_t i = 0; i < run_options_count; i++) {
		const struct run_option *option = &run_options_table[i];

		if (!run_option_is_for(option, command_name))
			continue;
		strbuf_printf(out, "%s%s", i > 0 ? " " : "", option->name);
		if (option->short_name != NULL)
			strbuf_printf(out, " %s", option->short_name);
	}
}

/* The flags of each command that has run's, as cases of a shell's. */
static void
bash_put_flags(struct strbuf *out)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (!commands[i]->has_run_options)
			continue;
		strbuf_printf(out, "\t\t%s) flags='", commands[i]->name);
		put_flags(commands[i]->name, out);
		strbuf_puts(out, " --' ;;\n");
	}
}

/* The flags that take the next argument, each behind `separator` but the first. */
static void
put_flags_with_value(const char *separator, struct strbuf *out)
{
	const char *before = "";

	for (size_t i = 0; i < run_options_count; i++) {
		const struct run_option *option = &run_options_table[i];

		if (option->form != RUN_OPTION_VALUE)
			continue;
		strbuf_printf(out, "%s%s", before, option->name);
		before = separator;
		if (option->short_name != NULL)
			strbuf_printf(out, "%s%s", separator, option->short_name);
	}
}

static void
put_pattern_with_value(struct strbuf *out)
{
	put_flags_with_value(" | ", out);
}

static void
bash_put_values(struct strbuf *out)
{
	for (size_t i = 0; i < run_options_count; i++) {
		const struct run_option *option = &run_options_table[i];

		if (option->completion == RUN_OPTION_COMPLETE_NOTHING)
			continue;
		strbuf_printf(out, "\t%s", option->name);
		if (option->short_name != NULL)
			strbuf_printf(out, " | %s", option->short_name);
		strbuf_puts(out, ")");
		if (has_words(option)) {
			strbuf_puts(out, " words='");
			put_words(option, out);
			strbuf_puts(out, "'");
		}
		strbuf_puts(out, has_files(option) ? " files=1 ;;\n" : " ;;\n");
	}
}

static void
bash_put_commands(struct strbuf *out)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->has_run_options)
			continue;
		strbuf_printf(out, "\t\t%s) words='", commands[i]->name);
		put_command_words(commands[i], out);
		strbuf_puts(out, commands[i]->takes_file ? "' files=1 ;;\n" : "' ;;\n");
	}
}

/* Text inside single quotes, with what would end a part of a spec of _arguments escaped. */
static void
zsh_put_text(const char *text, struct strbuf *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			strbuf_puts(out, "'\\''");
		else if (strchr("[]:\\", *text) != NULL)
			strbuf_printf(out, "\\%c", *text);
		else
			strbuf_putc(out, *text);
	}
}

/* ":HOST\:PORT:_files", or with the words themselves. */
static void
zsh_put_value(const struct run_option *option, struct strbuf *out)
{
	strbuf_putc(out, ':');
	zsh_put_text(option->value, out);
	strbuf_putc(out, ':');
	if (has_words(option) && has_files(option)) {
		strbuf_puts(out, " _porta_words_or_files ");
		put_words(option, out);
	} else if (has_words(option)) {
		strbuf_puts(out,
			    strchr(option->value, '=') != NULL ? "{ compadd -S \"\" -- " : "(");
		put_words(option, out);
		strbuf_puts(out, strchr(option->value, '=') != NULL ? " }" : ")");
	} else if (has_files(option)) {
		strbuf_puts(out, "_files");
	}
}

static void
zsh_put_flags(const char *command_name, struct strbuf *out)
{
	for (size_t i = 0; i < run_options_count; i++) {
		const struct run_option *option = &run_options_table[i];
		const char *names[] = { option->name, option->short_name };

		if (!run_option_is_for(option, command_name))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(names) && names[k] != NULL; k++) {
			bool is_long = k == 0;

			strbuf_printf(out, "\t\t'%s%s", option->once ? "" : "*", names[k]);
			if (option->form == RUN_OPTION_VALUE)
				strbuf_puts(out, is_long ? "=" : "+");
			else if (option->form == RUN_OPTION_OPTIONAL)
				strbuf_puts(out, "=-");
			strbuf_putc(out, '[');
			zsh_put_text(option->help, out);
			strbuf_putc(out, ']');
			if (option->form == RUN_OPTION_OPTIONAL)
				strbuf_putc(out, ':');
			if (option->form != RUN_OPTION_BARE)
				zsh_put_value(option, out);
			strbuf_puts(out, "' \\\n");
		}
	}
}

static void
zsh_put_run(struct strbuf *out)
{
	zsh_put_flags(command_run.name, out);
}

static void
zsh_put_up(struct strbuf *out)
{
	zsh_put_flags(command_up.name, out);
}

static void
zsh_put_explain(struct strbuf *out)
{
	zsh_put_flags(command_explain.name, out);
}

static void
zsh_put_serve(struct strbuf *out)
{
	zsh_put_flags("serve", out);
}

static void
zsh_put_commands(struct strbuf *out)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		strbuf_printf(out, "\t\t'%s:", commands[i]->name);
		zsh_put_text(commands[i]->summary, out);
		strbuf_puts(out, "'\n");
	}
}

static void
zsh_put_words(struct strbuf *out)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->has_run_options)
			continue;
		strbuf_printf(out, "\t%s) compadd -- ", commands[i]->name);
		put_command_words(commands[i], out);
		strbuf_puts(out, commands[i]->takes_file ? "; _files ;;\n" : " ;;\n");
	}
}

static void
fish_put_text(const char *text, struct strbuf *out)
{
	strbuf_putc(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *text);
	}
	strbuf_putc(out, '\'');
}

static void
fish_put_pattern_with_value(struct strbuf *out)
{
	put_flags_with_value(" ", out);
}

static void
fish_put_commands(struct strbuf *out)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *command = commands[i];

		strbuf_printf(out, "complete -c porta -n __fish_use_subcommand -a %s -d ",
			      command->name);
		fish_put_text(command->summary, out);
		strbuf_putc(out, '\n');
		if (command->has_run_options)
			continue;
		strbuf_printf(out, "complete -c porta -n '__fish_seen_subcommand_from %s' -a '",
			      command->name);
		put_command_words(command, out);
		strbuf_puts(out, command->takes_file ? "' -F\n" : "'\n");
	}
}

static void
fish_put_flags(struct strbuf *out)
{
	for (size_t i = 0; i < run_options_count; i++) {
		const struct run_option *option = &run_options_table[i];

		strbuf_puts(out, "complete -c porta -n '__fish_seen_subcommand_from");
		for (size_t k = 0; commands[k] != NULL; k++) {
			if (commands[k]->has_run_options && run_option_is_for(option, commands[k]->name))
				strbuf_printf(out, " %s", commands[k]->name);
		}
		strbuf_printf(out, "' -l %s", option->name + 2);
		if (option->short_name != NULL)
			strbuf_printf(out, " -s %s", option->short_name + 1);
		if (option->form == RUN_OPTION_VALUE)
			strbuf_puts(out, has_files(option) ? " -r -F" : " -x");
		if (has_words(option)) {
			strbuf_puts(out, " -a '");
			put_words(option, out);
			strbuf_putc(out, '\'');
		}
		strbuf_puts(out, " -d ");
		fish_put_text(option->help, out);
		strbuf_putc(out, '\n');
	}
}

static const struct marker markers[] = {
	{ "commands", put_commands },
	{ "bash_flags", bash_put_flags },
	{ "flags_with_value", put_pattern_with_value },
	{ "bash_values", bash_put_values },
	{ "bash_commands", bash_put_commands },
	{ "zsh_run", zsh_put_run },
	{ "zsh_up", zsh_put_up },
	{ "zsh_explain", zsh_put_explain },
	{ "zsh_serve", zsh_put_serve },
	{ "zsh_commands", zsh_put_commands },
	{ "zsh_words", zsh_put_words },
	{ "fish_flags_with_value", fish_put_pattern_with_value },
	{ "fish_commands", fish_put_commands },
	{ "fish_flags", fish_put_flags },
};

static const struct marker *
marker_at(const char *text, size_t *ret_length)
{
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++) {
		size_t length = strlen(markers[i].name);

		if (text[0] != '@' || strncmp(text + 1, markers[i].name, length) != 0 ||
		    text[length + 1] != '@')
			continue;
		*ret_length = length + 2;
		return &markers[i];
	}
	return NULL;
}

static void
put_script(const char *script, struct strbuf *out)
{
	while (*script != '\0') {
		size_t length;
		const struct marker *marker = marker_at(script, &length);

		if (marker == NULL) {
			strbuf_putc(out, *script++);
			continue;
		}
		marker->put(out);
		script += length;
		/* A marker that filled whole lines ended the last one itself. */
		if (*script == '\n' && out->text[out->length - 1] == '\n')
			script++;
	}
}

static const char *const shells[] = { "bash", "zsh", "fish", NULL };
static const char *const scripts[] = { bash_script, zsh_script, fish_script };

static_assert(ARRAY_SIZE(shells) == ARRAY_SIZE(scripts) + 1, "a script for each shell");

static int
run_completion(int argc, char **argv)
{
	struct command_arguments arguments;
	const char *script = NULL;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int code;

	if (command_parse_arguments(&command_completion, argc, argv, &arguments, &err) < 0)
		return output_fail("completion", &err, EXIT_CODE_FAILED);
	if (arguments.word == NULL && !arguments.help) {
		error_set(&err, -EINVAL, "no shell is named (right form: porta completion %s)",
			  command_completion.form);
		return output_fail("completion", &err, EXIT_CODE_FAILED);
	}
	for (size_t i = 0; i < ARRAY_SIZE(scripts) && arguments.word != NULL; i++) {
		if (str_equal(arguments.word, shells[i]))
			script = scripts[i];
	}
	if (arguments.help) {
		command_write_help(&command_completion, &text);
	} else if (script != NULL) {
		put_script(script, &text);
	} else {
		_cleanup_free_ char *quoted = output_quote(arguments.word);

		error_set(&err, -EINVAL,
			  "there is no completion for %s (right form: porta completion %s)", quoted,
			  command_completion.form);
		return output_fail("completion", &err, EXIT_CODE_FAILED);
	}
	code = output_print(&text);
	strbuf_done(&text);
	return code;
}

const struct command command_completion = {
	.name = "completion",
	.form = "bash|zsh|fish",
	.summary = "print the completion script of a shell",
	.usage = "Prints a script that completes porta's commands, flags and their values.\n"
		 "\n"
		 "  bash    source <(porta completion bash)      in ~/.bashrc\n"
		 "  zsh     source <(porta completion zsh)       in ~/.zshrc, after compinit\n"
		 "  fish    porta completion fish >~/.config/fish/completions/porta.fish\n",
	.words = shells,
	.run = run_completion,
};
