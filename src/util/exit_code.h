/*
 * The exit codes that are porta's own: 124 to 127 as `env`, `timeout` and `docker run` use them,
 * 115 to 123 for WASM agents. Every other code is the command's, passed through: 0-255 as it
 * exited (an agent's above 255 becomes 255), 128 + N when signal N ended it.
 */
#ifndef PORTA_UTIL_EXIT_CODE_H
#define PORTA_UTIL_EXIT_CODE_H

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_NOT_GRANTED = 1,    /* porta validate: an import that the profile does not grant */
	EXIT_CODE_BAD_MODULE = 115,   /* no WASM, or not what an agent is: invalid, a component, no _start */
	EXIT_CODE_REFUSED = 116,      /* an agent imports what it is not granted; it did not run */
	EXIT_CODE_CRASHED = 117,      /* the worker crashed */
	EXIT_CODE_TRAP = 118,	      /* an agent trapped: unreachable, out of bounds, division by zero */
	EXIT_CODE_OUTPUT_LIMIT = 119, /* --max-output ended an agent */
	EXIT_CODE_STEP_LIMIT = 120,   /* --step-limit */
	EXIT_CODE_MEMORY_LIMIT = 121, /* --max-memory */
	EXIT_CODE_TABLE_LIMIT = 122,  /* a table grew beyond what porta allows */
	EXIT_CODE_STACK_LIMIT = 123,  /* the stack of an agent is used up */
	EXIT_CODE_TIMEOUT = 124,      /* --timeout ended the run */
	EXIT_CODE_FAILED = 125,       /* porta itself failed, or was called wrongly */
	EXIT_CODE_NOT_RUNNABLE = 126, /* the command was found but cannot be executed */
	EXIT_CODE_NOT_FOUND = 127,    /* the command was not found */
	EXIT_CODE_SIGNAL_BASE = 128,  /* plus the signal's number */
};

#endif
