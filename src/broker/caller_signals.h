/*
 * Whether a thread that waits for an answer has a signal to take. A notification that was
 * received is interrupted by fatal signals only (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), so
 * a connect that lasts looks here, and is answered so that the kernel delivers the signal.
 */
#ifndef PORTA_BROKER_CALLER_SIGNALS_H
#define PORTA_BROKER_CALLER_SIGNALS_H

#include <sys/types.h>

enum caller_signal {
	CALLER_SIGNAL_NONE,
	/*
	 * The kernel has told this very thread (TIF_SIGPENDING is set), so an answer of
	 * NOTIFY_RESTART is sure to be taken by the kernel and not seen by the program.
	 */
	CALLER_SIGNAL_CERTAIN,
	/*
	 * One for the process, that this thread may take or another: EINTR is the answer that harms
	 * neither.
	 */
	CALLER_SIGNAL_POSSIBLE,
};

/*
 * Reads /proc/TID/status, and that of the process's first thread where it is another. An error
 * counts as none.
 */
enum caller_signal caller_signals_look(pid_t tid);

#endif
