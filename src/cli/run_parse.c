/* Parses the command line of `porta run`; see run_options.h. */
#include <errno.h>
#include <string.h>

#include "cli/output.h"
#include "cli/project_options.h"
#include "cli/run_options.h"
#include "util/mem.h"

/* The most bytes of a corrected command line that a message shows. */
#define CORRECTION_MAX_BYTES 400
/* At least as many as the table has. */
#define OPTIONS_MAX 64

struct parser {
	struct run_options *options;
	int argc;
	char **argv;
	int next;	  /* the argument to look at */
	int target_index; /* 0: none yet */
	bool is_look;	  /* nothing is applied but what is_early */
	bool given[OPTIONS_MAX];
};

static_assert(OPTIONS_MAX == PROJECT_OPTIONS_MAX, "one bound for both");

void
run_options_init(struct run_options *options, const char *command_name)
{
	*options = (struct run_options){ .command_name = command_name };
	policy_init(&options->policy);
}

void
run_options_done(struct run_options *options)
{
	if (options == NULL)
		return;
	policy_done(&options->policy);
	serve_options_done(&options->serve);
	for (size_t i = 0; i < options->texts.count; i++)
		mem_wipe(options->texts.items[i], strlen(options->texts.items[i]));
	strv_done(&options->texts);
	strv_done(&options->all_arguments);
}

static const struct run_option *
find_option(const struct parser *parser, const char *argument, const char **ret_value)
{
	const struct run_option *option = run_option_find(argument, ret_value);

	if (option == NULL || !run_option_is_for(option, parser->options->command_name))
		return NULL;
	return option;
}

/* Adds one argument in shell quotes. Of a secret option's value, at `value` in it, only the key is
 * shown. */
static void
add_shown(struct strbuf *line, const char *argument, const char *value)
{
	const char *equals = value != NULL ? strchr(value, '=') : NULL;
	const char *end = equals != NULL ? equals + 1 : value;
	_cleanup_free_ char *shown = NULL;

	if (end != NULL)
		shown = mem_printf("%.*s...", (int)(end - argument), argument);
	strbuf_putc(line, ' ');
	strbuf_put_shell(line, shown != NULL ? shown : argument);
}

/*
 * The command line as it was probably meant: porta's own flags and the target, "--", and all that
 * is neither. The caller frees it.
 */
static char *
corrected_line(const struct parser *parser)
{
	struct strbuf line = STRBUF_INIT;
	struct strbuf rest = STRBUF_INIT;
	int i;

	strbuf_printf(&line, "porta %s", parser->options->command_name);
	for (i = 1; i < parser->argc && !str_equal(parser->argv[i], "--"); i++) {
		const char *argument = parser->argv[i];
		const char *value;
		const struct run_option *option = find_option(parser, argument, &value);

		if (option == NULL) {
			add_shown(i == parser->target_index ? &line : &rest, argument, NULL);
			continue;
		}
		add_shown(&line, argument, option->is_secret ? value : NULL);
		if (option->form == RUN_OPTION_VALUE && value == NULL && i + 1 < parser->argc &&
		    !run_option_looks_like(parser->argv[i + 1])) {
			argument = parser->argv[++i];
			add_shown(&line, argument, option->is_secret ? argument : NULL);
		}
		if (line.length > CORRECTION_MAX_BYTES)
			break;
	}
	for (i++; i < parser->argc && rest.length <= CORRECTION_MAX_BYTES; i++)
		add_shown(&rest, parser->argv[i], NULL);
	strbuf_puts(&line, " --");
	strbuf_add(&line, rest.text != NULL ? rest.text : "", rest.length);
	strbuf_done(&rest);
	if (line.length > CORRECTION_MAX_BYTES) {
		line.length = CORRECTION_MAX_BYTES;
		line.text[line.length] = '\0';
		strbuf_puts(&line, "...");
	}
	return strbuf_take(&line);
}

/* "--allow-net HOST:PORT, for example --allow-net 'api.example.com:443'" */
static void
put_form(struct strbuf *out, const struct run_option *option)
{
	const char *name = option->short_name != NULL ? option->short_name : option->name;
	char separator = option->form == RUN_OPTION_OPTIONAL ? '=' : ' ';

	strbuf_printf(out, "%s%c%s, for example %s%c%s", name, separator, option->value, name,
		      separator, option->example);
}

static int
error_without_value(const struct run_option *option, const char *name, const char *next,
		    struct error *err)
{
	_cleanup_free_ char *quoted = NULL;
	_cleanup_free_ char *form = NULL;
	struct strbuf buf = STRBUF_INIT;

	put_form(&buf, option);
	form = strbuf_take(&buf);
	if (next == NULL || str_equal(next, "--"))
		return error_set(err, -EINVAL, "%s needs a value (right form: %s)", name, form);
	quoted = output_quote_name(next);
	return error_set(err, -EINVAL,
			 "%s needs a value, and %s looks like a flag (right form: %s; a value that "
			 "begins with a dash: %s=VALUE)",
			 name, quoted, form, option->name);
}

static int
error_unknown(const struct parser *parser, const char *argument, struct error *err)
{
	const char *names[OPTIONS_MAX + 1];
	_cleanup_free_ char *name = mem_strndup(argument, strcspn(argument, "="));
	_cleanup_free_ char *quoted = output_quote(name);
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *hint = NULL;
	const struct run_option *meant;
	const char *nearest;
	const char *value;
	size_t n = 0;

	for (size_t i = 0; i < run_options_count; i++) {
		if (run_option_is_for(&run_options_table[i], parser->options->command_name))
			names[n++] = run_options_table[i].name;
	}
	names[n] = NULL;
	nearest = str_nearest(name, names);
	meant = nearest != NULL ? run_option_find(nearest, &value) : NULL;
	hint = nearest != NULL
		   ? mem_printf("did you mean %s?", nearest)
		   : mem_printf("'porta help %s' lists them", parser->options->command_name);
	/* What follows a misspelt --secret is not repeated. */
	if (parser->target_index == 0 || (meant != NULL && meant->is_secret))
		return error_set(err, -EINVAL, "unknown flag %s (%s)", quoted, hint);
	line = corrected_line(parser);
	return error_set(err, -EINVAL,
			 "unknown flag %s (%s); if it is the command's own, put -- before it: %s",
			 quoted, hint, line);
}

/* Whether the first of the names in `list` is one of the option's words. */
static bool
is_word_of(const struct run_option *option, const char *list)
{
	size_t length = strcspn(list, ",");
	const char *word;

	for (size_t i = 0; (word = option->word(i)) != NULL; i++) {
		if (strlen(word) == length && strncmp(word, list, length) == 0)
			return true;
	}
	return false;
}

/* A second word before "--": one of the command's own, or a value of --degrade without "=". */
static int
error_extra_word(const struct parser *parser, const char *word, struct error *err)
{
	_cleanup_free_ char *quoted = output_quote(word);
	_cleanup_free_ char *line = NULL;
	const int suspects[] = { parser->next, parser->target_index };

	for (size_t i = 0; i < ARRAY_SIZE(suspects); i++) {
		const char *suspect = parser->argv[suspects[i]];
		const char *value;
		const struct run_option *option;

		option = find_option(parser, parser->argv[suspects[i] - 1], &value);
		if (option != NULL && option->form == RUN_OPTION_OPTIONAL && value == NULL &&
		    is_word_of(option, suspect))
			return error_set(err, -EINVAL,
					 "%s takes its value only behind '=' (right form: %s=%.*s)",
					 option->name, option->name, OUTPUT_QUOTE_MAX_BYTES,
					 suspect);
	}
	line = corrected_line(parser);
	return error_set(err, -EINVAL, "%s: the command's own arguments come behind --, as in: %s",
			 quoted, line);
}

/* Finds the value of an option whose name was just read; moves on behind it. */
static int
take_value(struct parser *parser, const struct run_option *option, const char *attached,
	   const char **ret_value, struct error *err)
{
	const char *argument = parser->argv[parser->next - 1];
	const char *name = str_starts_with(argument, "--") ? option->name : option->short_name;
	const char *next = parser->next < parser->argc ? parser->argv[parser->next] : NULL;

	if (option->form == RUN_OPTION_BARE && attached != NULL)
		return error_set(err, -EINVAL, "%s takes no value (right form: %s)", name, name);
	if (option->form != RUN_OPTION_VALUE || attached != NULL) {
		*ret_value = attached;
		return 0;
	}
	if (next == NULL || run_option_looks_like(next))
		return error_without_value(option, name, next, err);
	parser->next++;
	*ret_value = next;
	return 0;
}

static int
parse_option(struct parser *parser, const struct run_option *option, const char *attached,
	     struct error *err)
{
	bool *given = &parser->given[option - run_options_table];
	_cleanup_free_ char *quoted = NULL;
	const char *value = NULL;
	int r;

	r = take_value(parser, option, attached, &value, err);
	if (r < 0)
		return r;
	if (option->once && *given)
		return error_set(err, -EINVAL, "%s is given twice: it takes one value",
				 option->name);
	*given = true;
	if (parser->is_look && !option->is_early)
		return 0;
	r = option->apply(parser->options, value, err);
	if (r == 0)
		return 0;
	if (value == NULL || option->is_secret)
		return error_wrap(err, r, "%s", option->name);
	quoted = output_quote(value);
	return error_wrap(err, r, "%s %s", option->name, quoted);
}

/* Reads the arguments up to "--", which it consumes, or to the end or --help. */
static int
parse_own_arguments(struct parser *parser, struct error *err)
{
	while (parser->next < parser->argc && !parser->options->help) {
		const char *argument = parser->argv[parser->next];
		const struct run_option *option;
		const char *value;
		int r;

		if (str_equal(argument, "--")) {
			parser->next++;
			return 0;
		}
		option = find_option(parser, argument, &value);
		if (option != NULL) {
			parser->next++;
			r = parse_option(parser, option, value, err);
			if (r < 0)
				return r;
			continue;
		}
		if (run_option_looks_like(argument))
			return error_unknown(parser, argument, err);
		if (parser->target_index != 0)
			return error_extra_word(parser, argument, err);
		parser->target_index = parser->next++;
	}
	return 0;
}

/* Whether this command line leaves the target to porta.toml. */
static bool
takes_project(const struct parser *parser)
{
	const char *name = parser->options->command_name;

	if (str_equal(name, "up"))
		return true;
	return parser->target_index == 0 && parser->next >= parser->argc &&
	       (str_equal(name, "explain") || str_equal(name, "serve"));
}

/* No target, nothing behind "--" that could be it, and no porta.toml, which run does not look for. */
static int
error_without_target(const struct run_options *options, struct error *err)
{
	const char *name = options->command_name;
	const char *no_file = str_equal(name, "run") ? "" : ", and there is no porta.toml here or above";

	if (str_equal(name, "serve"))
		return error_set(err, -EINVAL, "no agent is given%s (right form: porta serve <agent.wasm> [options])",
				 no_file);
	return error_set(err, -EINVAL,
			 "no command is given%s (right form: porta %s <target> [options] "
			 "[-- args...], for example: porta %s bash -v .)",
			 no_file, name, name);
}

/* A first look at the command line, for what decides whether porta.toml is read, and what it cannot say. */
static int
take_project(struct parser *parser, struct error *err)
{
	struct parser look = *parser;
	int r;

	if (str_equal(parser->options->command_name, "run"))
		return 0;
	look.is_look = true;
	r = parse_own_arguments(&look, err);
	if (r < 0 || parser->options->help)
		return r;
	if (takes_project(&look)) {
		r = project_options_load(parser->options, look.given, err);
		/* What is wrong with the flags is told first; then that there is no target. */
		return r == -ENOENT && parser->options->project_path == NULL &&
			       !str_equal(parser->options->command_name, "up")
			   ? 0
			   : r;
	}
	if (parser->options->project_path != NULL)
		return error_set(err, -EINVAL, "--file says what to run, and so does %s: write one of them",
				 parser->argv[look.target_index != 0 ? look.target_index : look.next]);
	return 0;
}

/* The arguments of porta.toml, and behind them those of the command line. */
static void
join_arguments(struct run_options *options, const struct parser *parser)
{
	for (int i = parser->next; i < parser->argc; i++)
		strv_add(&options->all_arguments, parser->argv[i]);
	options->arguments = options->all_arguments.items;
	options->arguments_count = options->all_arguments.count;
}

int
run_options_parse(struct run_options *options, int argc, char **argv, struct error *err)
{
	struct parser parser = { .options = options, .argc = argc, .argv = argv, .next = 1 };
	int r;

	assert(run_options_count <= OPTIONS_MAX);
	r = take_project(&parser, err);
	if (r < 0 || options->help)
		return r;
	r = parse_own_arguments(&parser, err);
	if (r < 0 || options->help)
		return r;
	if (options->target != NULL) {
		if (parser.target_index != 0)
			return error_extra_word(&parser, argv[parser.target_index], err);
		join_arguments(options, &parser);
		r = policy_finish(&options->policy, err);
		return r < 0 ? error_wrap(err, r, "%s", options->policy.project_file) : 0;
	}
	/* "porta run -v . -- node server.js", as of env and sudo: the target comes first there. */
	if (parser.target_index == 0 && parser.next < argc)
		parser.target_index = parser.next++;
	if (parser.target_index == 0)
		return error_without_target(options, err);
	options->target = argv[parser.target_index];
	options->arguments = argv + parser.next;
	options->arguments_count = (size_t)(argc - parser.next);
	return policy_finish(&options->policy, err);
}
