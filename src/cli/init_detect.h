/* What a directory's own files say how it is run; for `porta init` without a command. */
#ifndef PORTA_CLI_INIT_DETECT_H
#define PORTA_CLI_INIT_DETECT_H

/* Texts that live as long as the program. */
struct init_target {
	const char *command;
	const char *const *arguments; /* ends with NULL */
	const char *because;	      /* the file that says so, or NULL */
};

/* By the files of the working directory: package.json is npm's, and so on; bash where nothing is known. */
void init_detect_command(struct init_target *ret_target);
/* The one file of the working directory whose name ends with ".wasm"; NULL where there is none, or more; the caller frees it. */
char *init_detect_agent(void);

#endif
