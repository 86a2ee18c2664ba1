/* The commands of porta: one struct each, one file each, one table of all (main.c). */
#ifndef PORTA_CLI_COMMAND_H
#define PORTA_CLI_COMMAND_H

#include <stdbool.h>

#include "util/error.h"
#include "util/strings.h"

struct command {
	const char *name;
	const char *form;	  /* what comes behind the name in the usage line */
	const char *summary;	  /* one line, for `porta help` */
	const char *usage;	  /* the text below the usage line; ends with a newline */
	bool has_run_options;	  /* its flags are those of run_options.h */
	bool has_json;		  /* its one flag beside --help is --json */
	bool has_grants;	  /* its flags are also --profile and --cap */
	bool takes_file;	  /* its one argument is a file, which it needs */
	const char *const *words; /* the values of its one argument, NULL: it takes none */
	/* argv[0] is the command's name. Returns the exit code; reports its own errors. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_up;
extern const struct command command_init;
extern const struct command command_explain;
extern const struct command command_doctor;
extern const struct command command_completion;
extern const struct command command_version;
extern const struct command command_help;
/* Only where agents are built (PORTA_HAS_WASM). */
extern const struct command command_serve;
extern const struct command command_inspect;
extern const struct command command_validate;
extern const struct command command_build;
extern const struct command command_cache;

/* Every command in the order of `porta help`; ends with NULL. */
extern const struct command *const commands[];
/* The same names, for "did you mean", completion and `porta help`; ends with NULL. */
extern const char *const command_names[];

/* NULL where there is none of this name. */
const struct command *command_find(const char *name);
/* "there is no command 'rnu' (did you mean run?)"; returns -EINVAL. */
int command_unknown(const char *name, struct error *err);

/* What commands other than run and explain are given. */
struct command_arguments {
	bool help;
	bool json;
	const char *profile;	  /* of --profile and --cap, which point into argv, or NULL */
	const char *capabilities;
	const char *word; /* points into argv, or NULL */
};

/* Returns 0, or -EINVAL with a sentence that names the argument and the right form. */
int command_parse_arguments(const struct command *command, int argc, char **argv,
			    struct command_arguments *ret_arguments, struct error *err);

/* What run and up do alike: the command line to its end. Returns the exit code. */
int command_run_target(const struct command *command, int argc, char **argv);

/* The list of commands, as `porta` alone and `porta help` show it. */
void command_list_help(struct strbuf *out);
/* What `porta COMMAND --help` shows. */
void command_write_help(const struct command *command, struct strbuf *out);

#endif
