/* Limits to waiting in the kernel; see patience.h. */
#include "broker/patience.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "util/fd.h"

/* None of those that porta passes on to the command. */
#define PATIENCE_SIGNAL SIGVTALRM

static timer_t timer;
static pid_t owner; /* a child has no timer */

static void
on_signal(int number)
{
	(void)number;
}

int
patience_init(struct error *err)
{
	/* Without SA_RESTART: what was interrupted is to end. */
	const struct sigaction action = { .sa_handler = on_signal };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = PATIENCE_SIGNAL };
	sigset_t set;

	if (owner == getpid())
		return 0;
	sigemptyset(&set);
	sigaddset(&set, PATIENCE_SIGNAL);
	if (sigaction(PATIENCE_SIGNAL, &action, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &set, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return error_set_errno(err, -errno, "cannot make a timer");
	owner = getpid();
	return 0;
}

/* Again and again, since the first may come just before the wait. */
static void
set_timer(long nanoseconds)
{
	const struct itimerspec times = { .it_value.tv_nsec = nanoseconds,
					  .it_interval.tv_nsec = nanoseconds };

	if (owner != 0)
		(void)timer_settime(timer, 0, &times, NULL);
}

void
patience_begin(void)
{
	set_timer(PATIENCE_MS * 1000000L);
}

void
patience_end(void)
{
	set_timer(0);
}

void
patience_close(int fd)
{
	if (fd < 0)
		return;
	patience_begin();
	fd_close(fd);
	patience_end();
}
