/*
 * The terminal and job control: hands the terminal to the command's process group,
 * takes it back when the command stops or ends, and stops and continues porta's own
 * job with it, so that Ctrl-C, Ctrl-Z, fg and bg work as if porta were not there.
 */
#ifndef PORTA_BROKER_TERMINAL_H
#define PORTA_BROKER_TERMINAL_H

#include <sys/types.h>

#include "sandbox/plan.h"

struct terminal {
	int fd; /* the controlling terminal, or -1 */
	pid_t own_group;
	pid_t command_group; /* as seen outside; 0 until known */
};

/* Opens the controlling terminal if there is one, and notes whether porta is in its foreground. */
void terminal_init(struct terminal *terminal, const struct plan *plan);
void terminal_done(struct terminal *terminal);
/* The command leads process group `pid`; it has taken the terminal itself if porta was in the foreground. */
void terminal_command_started(struct terminal *terminal, pid_t pid);
/* The command stopped by `signal`: takes the terminal back, stops porta's own job, and returns after SIGCONT, all undone. */
void terminal_command_stopped(struct terminal *terminal, int signal);
/* The run is over: takes the terminal back. */
void terminal_restore(struct terminal *terminal);

#endif
