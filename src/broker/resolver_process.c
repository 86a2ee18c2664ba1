/* The process porta-resolver; see resolver_process.h. */
#include "broker/resolver_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/fd.h"
#include "util/program.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define PROGRAM_NAME	 "porta-resolver"
#define START_TIMEOUT_MS 5000
/* The program's own descriptor, after the control socket; closed by its execution. */
#define PROGRAM_FD (RESOLVER_CONTROL_FD + 1)

static int
reset_signals(void)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL); /* SIGKILL and SIGSTOP cannot be */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: nothing of the broker's goes along, no descriptor, no word of the environment. */
static _noreturn_ void
become_resolver(int program_fd, int control_fd)
{
	static char name[] = PROGRAM_NAME;
	char *argv[] = { name, NULL };
	char *environment[] = { NULL };
	int null_fd;
	int high_program_fd;
	int high_control_fd;

	/* Out of the way of the numbers that are set next. */
	high_program_fd = fcntl(program_fd, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);
	high_control_fd = fcntl(control_fd, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (high_program_fd < 0 || high_control_fd < 0 || null_fd < 0)
		_exit(EXIT_FAILURE);
	null_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);
	/* Its own session: no signal of the terminal reaches it. */
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    dup2(null_fd, STDERR_FILENO) < 0 || dup2(high_control_fd, RESOLVER_CONTROL_FD) < 0 ||
	    dup3(high_program_fd, PROGRAM_FD, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, PROGRAM_FD + 1, ~0U, 0U) < 0 || chdir("/") < 0 ||
	    setsid() < 0 || reset_signals() < 0)
		_exit(EXIT_FAILURE);
	syscall(SYS_execveat, PROGRAM_FD, "", argv, environment, AT_EMPTY_PATH);
	_exit(EXIT_FAILURE);
}

/* Waits for the first message. */
static int
receive_ready(struct resolver_process *process, struct error *err)
{
	struct pollfd ready = { .fd = process->control_fd, .events = POLLIN };
	_cleanup_fd_ int passed_fd = -1;
	socklen_t length = sizeof(process->namespace_cookie);
	struct resolver_event event;
	ssize_t n;
	int r;

	do {
		r = poll(&ready, 1, START_TIMEOUT_MS);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_set_errno(err, -errno, "cannot wait for %s", PROGRAM_NAME);
	if (r == 0)
		return error_set(err, -ETIMEDOUT, "%s does not start", PROGRAM_NAME);
	n = fd_receive(process->control_fd, &event, sizeof(event), 0, &passed_fd);
	if (n == 0)
		return error_set(err, -ECHILD, "%s ended at its start", PROGRAM_NAME);
	if (n != (ssize_t)sizeof(event) || event.code > 0)
		return error_set(err, -EPROTO, "%s sent nonsense", PROGRAM_NAME);
	event.name[sizeof(event.name) - 1] = '\0';
	if (event.kind == RESOLVER_EVENT_FAILED)
		return error_set_errno(err, event.code, "%s cannot be confined (%s)", PROGRAM_NAME,
				       event.name);
	if (event.kind != RESOLVER_EVENT_READY)
		return error_set(err, -EPROTO, "%s sent nonsense", PROGRAM_NAME);
	process->namespace_error = event.code;
	/* Linux 5.14; without it sockets could not be told apart later: as without a namespace. */
	if (event.code == 0 && getsockopt(passed_fd, SOL_SOCKET, SO_NETNS_COOKIE,
					  &process->namespace_cookie, &length) < 0)
		process->namespace_error = -errno;
	return 0;
}

int
resolver_process_start(struct resolver_process *process, struct error *err)
{
	_cleanup_fd_ int program_fd = program_open(PROGRAM_NAME, err);
	_cleanup_fd_ int inside_fd = -1;
	int pair[2];
	int r;

	if (program_fd < 0)
		return program_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, -errno, "cannot make a socket pair");
	process->control_fd = pair[0];
	inside_fd = pair[1];
	process->pid = fork();
	if (process->pid == 0)
		become_resolver(program_fd, inside_fd);
	r = process->pid < 0 ? -errno : fd_set_nonblocking(process->control_fd, true);
	if (r < 0)
		error_set_errno(err, r, "cannot start %s", PROGRAM_NAME);
	/* Or else its end would never be seen. */
	fd_close(TAKE_FD(inside_fd));
	if (r == 0)
		r = receive_ready(process, err);
	if (r < 0)
		resolver_process_stop(process);
	return r;
}

void
resolver_process_stop(struct resolver_process *process)
{
	fd_close(TAKE_FD(process->control_fd));
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	process->pid = -1;
}
