/*
 * The exit codes that are porta's own, as `env`, `timeout` and `docker run`
 * use them. Every other code is the command's, passed through: 0-255 as it
 * exited, 128 + N when signal N ended it.
 */
#ifndef PORTA_UTIL_EXIT_CODE_H
#define PORTA_UTIL_EXIT_CODE_H

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_TIMEOUT = 124,      /* --timeout ended the run */
	EXIT_CODE_FAILED = 125,       /* porta itself failed, or was called wrongly */
	EXIT_CODE_NOT_RUNNABLE = 126, /* the command was found but cannot be executed */
	EXIT_CODE_NOT_FOUND = 127,    /* the command was not found */
	EXIT_CODE_SIGNAL_BASE = 128,  /* plus the signal's number */
};

#endif
