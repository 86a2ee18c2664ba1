/*
 * The flags of `porta run`, `porta explain` and `porta serve`: one table, from which parsing, help,
 * completion and the wiping of secrets are all made, and the parser.
 *
 *	porta run <target> [options] [-- args...]
 *
 * Flags come before or after the target, as "--flag VALUE", "--flag=VALUE", "-v VALUE" or
 * "-vVALUE"; all that follows "--" is the command's. A flag never takes an argument that
 * begins with a dash for its value: such a value is written "--flag=-VALUE".
 */
#ifndef PORTA_CLI_RUN_OPTIONS_H
#define PORTA_CLI_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/broker.h"
#include "cli/serve_options.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/strings.h"

/* What a command line asks for. */
struct run_options {
	const char *command_name; /* "run", "explain" or "serve" */
	struct policy policy;
	struct broker_options broker;
	bool json;	    /* explain only */
	struct serve_options serve; /* serve only */
	bool help;	    /* --help: nothing else counts */
	const char *target; /* points into argv, as do the arguments */
	char **arguments;
	size_t arguments_count;
};

enum run_option_group {
	RUN_OPTION_FILES,
	RUN_OPTION_NETWORK,
	RUN_OPTION_ENVIRONMENT,
	RUN_OPTION_PROCESSES,
	RUN_OPTION_AGENTS,
	RUN_OPTION_SERVER,
	RUN_OPTION_REPORTING,
	RUN_OPTION_GROUP_COUNT,
};

enum run_option_form {
	RUN_OPTION_BARE,     /* --flag */
	RUN_OPTION_VALUE,    /* --flag VALUE or --flag=VALUE */
	RUN_OPTION_OPTIONAL, /* --flag or --flag=VALUE */
};

/* What completion offers as its value. */
enum run_option_completion {
	RUN_OPTION_COMPLETE_NOTHING,
	RUN_OPTION_COMPLETE_FILES,
	RUN_OPTION_COMPLETE_WORDS,
	RUN_OPTION_COMPLETE_WORDS_AND_FILES,
};

struct run_option {
	const char *name;	/* "--volume" */
	const char *short_name; /* "-v", or NULL */
	enum run_option_form form;
	enum run_option_group group;
	bool once;	      /* giving it twice is an error */
	bool is_secret;	      /* its value is never shown, and wiped from the command line */
	const char *only_for; /* the one command that has it; NULL: both */
	const char *value;    /* "HOST:PORT"; NULL for BARE */
	const char *example;
	const char *help; /* without a full stop */
	enum run_option_completion completion;
	const char *(*word)(size_t index); /* the words, NULL behind the last */
	int (*apply)(struct run_options *options, const char *value, struct error *err);
};

extern const struct run_option run_options_table[];
extern const size_t run_options_count;

const char *run_option_group_name(enum run_option_group group);
bool run_option_is_for(const struct run_option *option, const char *command_name);
/*
 * The option that an argument is, in any of its forms, or NULL. *ret_value points to the
 * value in the same argument, or is NULL.
 */
const struct run_option *run_option_find(const char *argument, const char **ret_value);
/* Whether an argument can only be a flag: a dash and more. */
bool run_option_looks_like(const char *argument);
/* The flags of a command in groups, for --help. */
void run_options_write_help(const char *command_name, struct strbuf *out);

void run_options_init(struct run_options *options, const char *command_name);
void run_options_done(struct run_options *options);
/*
 * Parses argv[1..] into `options` and checks the policy as a whole. --env-file is read, but
 * for that the machine is not looked at. Returns 0, or a negative errno with one sentence.
 */
int run_options_parse(struct run_options *options, int argc, char **argv, struct error *err);

#endif
