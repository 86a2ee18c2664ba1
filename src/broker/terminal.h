/*
 * The terminal and job control: hands the terminal to the command's process group,
 * takes it back when the command stops or ends, and stops and continues porta's own
 * job with it, so that Ctrl-C, Ctrl-Z, fg and bg work as if porta were not there.
 *
 * What the broker owes it: it passes SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGWINCH and SIGTSTP on to
 * the command's group (the kernel sends them to porta's own one while that has the
 * terminal), calls terminal_continue on SIGCONT, and never ignores SIGTSTP, SIGTTIN or
 * SIGTTOU (blocking them is well).
 */
#ifndef PORTA_BROKER_TERMINAL_H
#define PORTA_BROKER_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "sandbox/plan.h"

struct terminal {
	int fd; /* the controlling terminal, or -1 */
	pid_t own_group;
	pid_t command_group; /* as seen outside; 0 until known */
	bool is_given;	     /* the command's group has it, or gets it back when porta's job is continued in the foreground */
	bool was_hung_up;    /* SIGHUP was sent, for want of a terminal to read */
	bool has_modes;
	struct termios modes; /* those before the command had it */
};

/* Opens the controlling terminal if there is one; none of the functions below does anything without. */
void terminal_init(struct terminal *terminal, const struct plan *plan);
void terminal_done(struct terminal *terminal);
/* The command leads process group `pid`; it has taken the terminal itself where plan->in_foreground says so. */
void terminal_command_started(struct terminal *terminal, pid_t pid);
/*
 * The command stopped by `signal`. Where it wants the terminal and this job has it, it gets it and
 * goes on. Otherwise porta takes the terminal back and stops its own job, and returns when that was
 * continued, with the command continued too. A job that the kernel does not stop (an
 * orphaned process group, as in a terminal window of its own) goes on at once.
 */
void terminal_command_stopped(struct terminal *terminal, int signal);
/* porta received SIGCONT: gives the terminal back if its job is in the foreground again, and continues the command. */
void terminal_continue(struct terminal *terminal);
/*
 * The run is over, with the command's wait status: takes the terminal back, and after a command that was
 * killed puts its modes right, which a shell does only for its own jobs.
 */
void terminal_restore(struct terminal *terminal, int wait_status);
/*
 * The very last thing: a command that ended by Ctrl-C or Ctrl-\ at this terminal takes porta along by the same
 * signal, since a shell's loop goes on after any mere exit code. Returns in every other case.
 */
void terminal_end_alike(const struct terminal *terminal, int wait_status);
/* The same for a job that never gave its terminal away, and was ended by `signal`. */
void terminal_end_by_signal(int signal);

#endif
