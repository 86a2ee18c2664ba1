/*
 * The flags of `porta run`, `up`, `explain` and `serve`: one table, from which parsing, help, completion,
 * the keys of porta.toml and the wiping of secrets are all made, and the parser.
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
	const char *command_name; /* "run", "up", "explain" or "serve" */
	struct policy policy;
	struct broker_options broker;
	bool json;	    /* explain only */
	struct serve_options serve; /* serve only */
	const char *project_path; /* --file */
	bool help;	    /* --help: nothing else counts */
	const char *target; /* points into argv or `texts`, as do the arguments */
	char **arguments;
	size_t arguments_count;
	/* What porta.toml said: texts that the above point to, and the arguments that it and the command line give. */
	struct strv texts;
	struct strv all_arguments;
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

/* The commands that have a flag, as bits. */
enum run_option_command {
	RUN_OPTION_FOR_RUN = 1,
	RUN_OPTION_FOR_UP = 2,
	RUN_OPTION_FOR_EXPLAIN = 4,
	RUN_OPTION_FOR_SERVE = 8,
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
	bool is_early;	      /* decides what else is read: applied at the first look at a command line */
	bool is_secret;	      /* its value is never shown, and wiped from the command line */
	unsigned int only_for; /* enum run_option_command; 0: all */
	const char *key; /* in porta.toml: "sandbox.mounts"; "env.*": each key of a table; NULL: the command line alone */
	bool is_path;	 /* in porta.toml: what is relative is so to the file's directory */
	bool is_number;	 /* in porta.toml: an integer will do for a string */
	const char *value;    /* "HOST:PORT"; NULL for BARE */
	const char *example;
	const char *help; /* without a full stop */
	enum run_option_completion completion;
	const char *(*word)(size_t index); /* the words, NULL behind the last */
	int (*apply)(struct run_options *options, const char *value, struct error *err);
};

extern const struct run_option run_options_table[];
extern const size_t run_options_count;

/* The bit of a command, 0 where it has no such flags. */
unsigned int run_option_command_bit(const char *command_name);
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
 * Parses argv[1..] into `options` and checks the policy as a whole. --env-file is read, and porta.toml where `up`,
 * or `explain` or `serve` without a target, take theirs from it; but for that the machine is not looked at. Returns
 * 0, or a negative errno with one sentence.
 */
int run_options_parse(struct run_options *options, int argc, char **argv, struct error *err);

#endif
