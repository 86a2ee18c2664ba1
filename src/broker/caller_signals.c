/*
 * Signals that a waiting thread should take; see caller_signals.h.
 *
 * What the kernel promises (kernel/signal.c, complete_signal and do_signal_stop): a signal to a
 * thread sets TIF_SIGPENDING there, and so does one to a process of one thread. One to a
 * process of several sets it on one of them, and nothing tells on which. A stop that
 * another thread has begun sets it on all.
 */
#include "broker/caller_signals.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/fd.h"

#define STATUS_MAX_BYTES 65536

struct signal_state {
	pid_t process;
	uint64_t threads;
	char run_state;
	uint64_t thread_pending;
	uint64_t process_pending;
	uint64_t blocked;
};

/* The number after `label` ("\nSigPnd:"), or 0. */
static uint64_t
number_after(const char *status, const char *label, int base)
{
	const char *line = strstr(status, label);

	return line != NULL ? strtoull(line + strlen(label), NULL, base) : 0;
}

static int
read_signal_state(pid_t tid, struct signal_state *ret_state)
{
	_cleanup_free_ char *status = NULL;
	char path[64];
	const char *line;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	r = fd_read_file_at(AT_FDCWD, path, STATUS_MAX_BYTES, &status, NULL);
	if (r < 0)
		return r;
	line = strstr(status, "\nState:\t");
	*ret_state = (struct signal_state){
		.process = (pid_t)number_after(status, "\nTgid:", 10),
		.threads = number_after(status, "\nThreads:", 10),
		.run_state = line != NULL ? line[strlen("\nState:\t")] : '?',
		.thread_pending = number_after(status, "\nSigPnd:", 16),
		.process_pending = number_after(status, "\nShdPnd:", 16),
		.blocked = number_after(status, "\nSigBlk:", 16),
	};
	return 0;
}

enum caller_signal
caller_signals_look(pid_t tid)
{
	struct signal_state thread;
	struct signal_state first;

	if (read_signal_state(tid, &thread) < 0)
		return CALLER_SIGNAL_NONE;
	if (thread.thread_pending & ~thread.blocked)
		return CALLER_SIGNAL_CERTAIN;
	if (thread.process_pending & ~thread.blocked)
		return thread.threads == 1 ? CALLER_SIGNAL_CERTAIN : CALLER_SIGNAL_POSSIBLE;
	if (thread.process != tid && read_signal_state(thread.process, &first) == 0 &&
	    first.run_state == 'T')
		return CALLER_SIGNAL_CERTAIN;
	return CALLER_SIGNAL_NONE;
}
