/*
 * The terminal; see terminal.h.
 *
 * Theory of operation
 *
 * The shell knows one job: the process group that porta is in, maybe with neighbours
 * in a pipeline or the script that runs it, and with init. The command has a group of its own, so that
 * kill(0) inside does not reach them. Both are in one session, and the terminal has one
 * foreground group. It is "with this job" when that is porta's own group, the command's,
 * one that a shell inside made, or the same of another porta in the job. Then the
 * command may have it: at once where it is alone with it (plan->in_foreground, done
 * by the command itself), else when it asks, which the kernel tells by SIGTTIN or SIGTTOU.
 */
#include "broker/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/macros.h"

/* From a group's leader up to the command: a shell in a shell in a shell. */
#define ANCESTORS_MAX 256

void
terminal_init(struct terminal *terminal, const struct plan *plan)
{
	*terminal = (struct terminal){
		.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC),
		.own_group = getpgrp(),
		.is_given = plan->in_foreground,
	};
	terminal->has_modes = plan->in_foreground && tcgetattr(terminal->fd, &terminal->modes) == 0;
}

void
terminal_done(struct terminal *terminal)
{
	fd_close(TAKE_FD(terminal->fd));
}

void
terminal_command_started(struct terminal *terminal, pid_t pid)
{
	terminal->command_group = pid;
}

/* The fourth field of proc_pid_stat(5); 0 where there is no such process. */
static pid_t
parent_of(pid_t pid)
{
	char path[32];
	char text[512];
	_cleanup_fd_ int fd = -1;
	const char *after_name;
	ssize_t n;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name may hold any byte, so it ends at the last parenthesis. */
	after_name = strrchr(text, ')');
	return after_name != NULL && sscanf(after_name, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Whether the leader of `group` runs inside this porta's sandbox, or, for `any_porta`, one of this job's. */
static bool
is_group_inside(const struct terminal *terminal, pid_t group, bool any_porta)
{
	pid_t pid = group;

	if (group == terminal->command_group)
		return true;
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		pid = parent_of(pid);
		if (pid == getpid() || (any_porta && pid > 1 && getpgid(pid) == terminal->own_group))
			return true;
	}
	return false;
}

static bool
is_group_dead(pid_t group)
{
	return group <= 0 || (kill(-group, 0) < 0 && errno == ESRCH);
}

/* With SIGTTOU blocked, a group in the background may do this too: the kernel's only demand is the same session. */
static bool
set_foreground(const struct terminal *terminal, pid_t group)
{
	sigset_t mask;
	sigset_t saved;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTTOU);
	sigprocmask(SIG_BLOCK, &mask, &saved);
	r = tcsetpgrp(terminal->fd, group);
	sigprocmask(SIG_SETMASK, &saved, NULL);
	return r == 0;
}

/* Gives the terminal to the command if it is with this job, or a neighbour's command has died with it. */
static bool
give(struct terminal *terminal)
{
	pid_t foreground = tcgetpgrp(terminal->fd);

	if (foreground != terminal->own_group && !is_group_dead(foreground) &&
	    !is_group_inside(terminal, foreground, true))
		return false;
	if (!terminal->has_modes)
		terminal->has_modes = tcgetattr(terminal->fd, &terminal->modes) == 0;
	if (!set_foreground(terminal, terminal->command_group))
		return false;
	terminal->is_given = true;
	return true;
}

/* Takes it from this sandbox alone: a neighbour's command, or a shell that has moved on, keeps it. */
static void
take_back(const struct terminal *terminal)
{
	pid_t foreground = tcgetpgrp(terminal->fd);

	if (foreground != terminal->own_group &&
	    (is_group_dead(foreground) || is_group_inside(terminal, foreground, false)))
		set_foreground(terminal, terminal->own_group);
}

/*
 * Stops porta's job as the kernel would have, and returns when it was continued, with true; false
 * at once if the kernel does not stop it. Init, as a pid 1, is not stopped, and so always sees
 * the broker die. SIGSTOP stops one process and not its group; for porta it becomes SIGTSTP, which an
 * orphaned group is spared: nobody would continue that.
 */
static bool
stop_own_job(int signal)
{
	static const struct timespec at_once = { 0 };
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	int sent = signal == SIGSTOP ? SIGTSTP : signal;
	struct sigaction saved_action;
	sigset_t continued;
	sigset_t stop;
	sigset_t saved;
	bool was_continued;

	sigemptyset(&continued);
	sigaddset(&continued, SIGCONT);
	sigemptyset(&stop);
	sigaddset(&stop, sent);
	sigprocmask(SIG_BLOCK, &continued, &saved);
	sigaction(sent, &by_default, &saved_action);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	kill(signal == SIGSTOP ? getpid() : 0, sent);
	was_continued = sigtimedwait(&continued, NULL, &at_once) == SIGCONT;
	sigaction(sent, &saved_action, NULL);
	sigprocmask(SIG_SETMASK, &saved, NULL);
	return was_continued;
}

void
terminal_continue(struct terminal *terminal)
{
	if (terminal->command_group == 0)
		return;
	if (terminal->fd >= 0 && terminal->is_given && tcgetpgrp(terminal->fd) == terminal->own_group)
		give(terminal);
	kill(-terminal->command_group, SIGCONT);
}

void
terminal_command_stopped(struct terminal *terminal, int signal)
{
	bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;

	if (terminal->fd < 0 || terminal->command_group == 0)
		return;
	if (wants_terminal && give(terminal)) {
		kill(-terminal->command_group, SIGCONT);
		return;
	}
	take_back(terminal);
	if (wants_terminal)
		terminal->is_given = true;
	if (!stop_own_job(signal)) {
		/* Stopped for good by a program inside: its affair. */
		if (signal == SIGSTOP)
			return;
		/*
		 * Without porta the kernel lets the read of an orphaned group fail. What it does with a stopped
		 * group that becomes orphaned is as much as can be done here, once.
		 */
		if (wants_terminal) {
			if (terminal->was_hung_up)
				return;
			terminal->was_hung_up = true;
			kill(-terminal->command_group, SIGHUP);
		}
	}
	terminal_continue(terminal);
}

void
terminal_restore(struct terminal *terminal, int wait_status)
{
	sigset_t mask;
	sigset_t saved;

	if (terminal->fd < 0)
		return;
	take_back(terminal);
	if (!WIFSIGNALED(wait_status) || !terminal->has_modes ||
	    tcgetpgrp(terminal->fd) != terminal->own_group)
		return;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTTOU);
	sigprocmask(SIG_BLOCK, &mask, &saved);
	tcsetattr(terminal->fd, TCSADRAIN, &terminal->modes);
	sigprocmask(SIG_SETMASK, &saved, NULL);
}

static void
end_by(int signal)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	const struct rlimit no_core = { 0 };
	sigset_t mask;

	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&mask);
	sigaddset(&mask, signal);
	sigaction(signal, &by_default, NULL);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	kill(getpid(), signal);
}

void
terminal_end_alike(const struct terminal *terminal, int wait_status)
{
	int signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;

	if ((signal == SIGINT || signal == SIGQUIT) && terminal->fd >= 0 && terminal->is_given &&
	    tcgetpgrp(terminal->fd) == terminal->own_group)
		end_by(signal);
}

void
terminal_end_by_signal(int signal)
{
	_cleanup_fd_ int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if ((signal == SIGINT || signal == SIGQUIT) && fd >= 0 && tcgetpgrp(fd) == getpgrp())
		end_by(signal);
}
