/* A WASM worker from porta's side; see worker.h. */
#include "wasm/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/clock.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/program.h"
#include "wasm/worker_sandbox.h"

#define ENGINE_NAME "porta-engine"
/* From hanging up to the end: of a process, and of the broker around it. */
#define FINISH_MS 100
/* What a worker has above its fixed descriptors. */
#define FIRST_FREE_FD (PROTOCOL_OUTPUT_FD + 1)

/* Puts `fds` at the numbers from PROTOCOL_CONTROL_FD on, open across exec; of -1, nothing. */
static int
place_descriptors(int *fds, size_t count)
{
	/* Out of the way first. */
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD + 1);
		if (fds[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < count; i++) {
		int number = PROTOCOL_CONTROL_FD + (int)i;

		if (fds[i] < 0)
			close(number);
		else if (dup2(fds[i], number) < 0)
			return -errno;
	}
	return 0;
}

static int
null_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
		if (dup2(fd, number) < 0)
			return -errno;
	}
	return 0;
}

/* What the agent has for 1 and 2, or for all three where it has no streams. */
static int
place_streams(const struct worker_start *start)
{
	if (!start->streams)
		return null_streams();
	for (size_t i = 0; start->output != NULL && i < OUTPUT_CAP_STREAMS; i++) {
		if (dup2(start->output->streams[i].inside_fd, start->output->streams[i].own_fd) < 0)
			return -errno;
	}
	return 0;
}

static const char *
program_of(const struct worker_start *start)
{
	return start->program == NULL ? ENGINE_NAME : start->program;
}

void
worker_end_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_CODE_FAILED);
}

void
worker_reset_signals(void)
{
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action;

		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
		    action.sa_handler != SIG_DFL)
			(void)sigaction(signal, &(const struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	}
}

/* In the child: nothing of porta's goes along but what `start` says, no word of the environment. */
static _noreturn_ void
become_engine(pid_t parent, int program_fd, int control_fd, const struct worker_start *start)
{
	char *argv[] = { (char *)program_of(start), NULL };
	char *environment[] = { NULL };
	int fds[] = { control_fd, start->code_fd, start->output_fd };

	worker_end_with_parent(parent);
	if (start->own_group && setpgid(0, 0) < 0)
		_exit(EXIT_CODE_FAILED);
	/* FIRST_FREE_FD itself is the program's, closed by its execution. */
	program_fd = fcntl(program_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD + 1);
	if (program_fd < 0 || place_streams(start) < 0 ||
	    place_descriptors(fds, ARRAY_SIZE(fds)) < 0 ||
	    dup3(program_fd, FIRST_FREE_FD, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, FIRST_FREE_FD + 1, ~0U, 0U) < 0 || chdir("/") < 0 ||
	    sigprocmask(SIG_SETMASK, start->signal_mask, NULL) < 0)
		_exit(EXIT_CODE_FAILED);
	syscall(SYS_execveat, FIRST_FREE_FD, "", argv, environment, AT_EMPTY_PATH);
	_exit(EXIT_CODE_FAILED);
}

/* In the child: becomes the broker of a sandbox whose command is the engine. */
static _noreturn_ void
become_broker(pid_t parent, int program_fd, int control_fd, const struct worker_start *start)
{
	int fds[] = { control_fd, start->code_fd };
	_cleanup_free_ char *link = mem_printf("/proc/self/fd/%d", program_fd);
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	int kept;

	worker_end_with_parent(parent);
	worker_reset_signals();
	if (start->own_group && setpgid(0, 0) < 0)
		_exit(EXIT_CODE_FAILED);
	if (n < 0 || sigprocmask(SIG_SETMASK, start->signal_mask, NULL) < 0 ||
	    (start->directory != NULL && chdir(start->directory) < 0))
		_exit(EXIT_CODE_FAILED);
	path[n] = '\0';
	/* What the sandbox opens gets numbers above these, which it hands in. */
	if (place_streams(start) < 0 || place_descriptors(fds, ARRAY_SIZE(fds)) < 0)
		_exit(EXIT_CODE_FAILED);
	kept = start->code_fd < 0 ? 1 : 2;
	if (syscall(SYS_close_range, PROTOCOL_CONTROL_FD + kept, ~0U, 0U) < 0)
		_exit(EXIT_CODE_FAILED);
	_exit(worker_sandbox_run(start, path, kept));
}

static pid_t
fork_broker(int program_fd, int control_fd, const struct worker_start *start)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
		become_broker(parent, program_fd, control_fd, start);
	return pid;
}

/*
 * The child makes system calls alone until it becomes another program, so that the memory of porta
 * needs no copy: 0.2 ms of 2.5.
 */
static __attribute__((noinline)) pid_t
spawn_engine(int program_fd, int control_fd, const struct worker_start *start)
{
	pid_t parent = getpid();
	pid_t pid = vfork();

	if (pid == 0)
		become_engine(parent, program_fd, control_fd, start);
	return pid;
}

uint64_t
worker_now_ms(void)
{
	return clock_now_ms();
}

static int
time_left_ms(uint64_t deadline_ms)
{
	uint64_t now = worker_now_ms();

	if (deadline_ms == 0)
		return -1;
	if (now >= deadline_ms)
		return 0;
	return (int)MIN(deadline_ms - now, (uint64_t)INT_MAX);
}

int
worker_wait_writable(const struct worker_patience *patience, int fd)
{
	for (;;) {
		struct pollfd watched[] = { { .fd = fd, .events = POLLOUT },
					    { .fd = patience->signal_fd, .events = POLLIN } };
		int r = poll(watched, ARRAY_SIZE(watched), time_left_ms(patience->deadline_ms));

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (r > 0)
			return watched[1].revents != 0 ? -ECANCELED : 0;
	}
}

static int
wait_for_worker(void *data, int fd)
{
	return worker_wait_writable(data, fd);
}

int
worker_tell(struct worker *worker, enum message_kind kind, const struct strbuf *bytes,
	    const struct worker_patience *patience, struct error *err)
{
	int r = message_send_waiting(worker->control_fd, kind, bytes->text, bytes->length,
				     wait_for_worker, (void *)patience);

	if (r < 0 && r != -EPIPE && r != -ECONNRESET && r != -ETIMEDOUT && r != -ECANCELED)
		return error_set_errno(err, r, "cannot speak to a worker");
	return 0;
}

int
worker_configure(struct worker *worker, const struct protocol_config *config, struct error *err)
{
	struct strbuf bytes = STRBUF_INIT;
	int r;

	protocol_config_put(&bytes, config);
	r = worker_tell(worker, MESSAGE_CONFIG, &bytes, &(struct worker_patience){ .signal_fd = -1 }, err);
	mem_wipe(bytes.text, bytes.length);
	strbuf_done(&bytes);
	return r;
}

int
worker_start(struct worker *worker, const struct worker_start *start, struct error *err)
{
	const char *program = program_of(start);
	_cleanup_fd_ int program_fd = program_open(program, err);
	int pair[2];
	int r;

	if (program_fd < 0)
		return program_fd;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, -errno, "cannot make a socket pair");
	worker->control_fd = pair[0];
	worker->pid = start->sandbox != NULL ? fork_broker(program_fd, pair[1], start)
					     : spawn_engine(program_fd, pair[1], start);
	r = worker->pid < 0 ? -errno : 0;
	fd_close(pair[1]);
	worker->output = start->output;
	if (worker->output != NULL)
		output_cap_handed_out(worker->output);
	return r < 0 ? error_set_errno(err, r, "cannot start %s", program) : 0;
}

static void
reap(struct worker *worker)
{
	if (worker->pid < 0)
		return;
	while (waitpid(worker->pid, &worker->wait_status, 0) < 0 && errno == EINTR)
		;
	worker->pid = -1;
}

/* What is polled for. */
enum {
	WATCHED_CONTROL,
	WATCHED_SIGNAL,
	WATCHED_END,
	WATCHED_OUTPUT,
	WATCHED_COUNT = WATCHED_OUTPUT + OUTPUT_CAP_STREAMS,
};

/* It has hung up, and all that it wrote is passed on. */
static bool
is_silent(const struct worker *worker)
{
	return worker->control_fd < 0 &&
	       (worker->output == NULL || output_cap_is_empty(worker->output));
}

static void
watch(const struct worker *worker, int signal_fd, struct pollfd watched[WATCHED_COUNT])
{
	for (size_t i = 0; i < WATCHED_COUNT; i++)
		watched[i] = (struct pollfd){ .fd = -1 };
	watched[WATCHED_CONTROL] = (struct pollfd){ .fd = worker->control_fd, .events = POLLIN };
	watched[WATCHED_SIGNAL] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
	if (is_silent(worker))
		watched[WATCHED_END] = (struct pollfd){ .fd = worker->pidfd, .events = POLLIN };
	if (worker->output != NULL)
		output_cap_watch(worker->output, watched + WATCHED_OUTPUT);
}

/* 1: a message; 0: none yet; else it has hung up, or says nonsense. */
static int
read_message(struct worker *worker, size_t limit_bytes, struct message *ret_message)
{
	int r;

	(void)fd_set_nonblocking(worker->control_fd, true);
	r = message_read(&worker->reader, worker->control_fd, limit_bytes, ret_message);
	(void)fd_set_nonblocking(worker->control_fd, false);
	return r;
}

static void
hang_up(struct worker *worker)
{
	fd_close(TAKE_FD(worker->control_fd));
	worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	/* Without a descriptor it is not waited for. */
	if (worker->pidfd < 0)
		kill(worker->pid, SIGKILL);
}

static bool
has_ended(struct worker *worker)
{
	struct pollfd end = { .fd = worker->pidfd, .events = POLLIN };

	if (!is_silent(worker) || (worker->pidfd >= 0 && poll(&end, 1, 0) == 0))
		return false;
	reap(worker);
	return true;
}

enum worker_wait
worker_wait(struct worker *worker, size_t limit_bytes, uint64_t deadline_ms, int signal_fd,
	    struct message *ret_message, int *ret_signal)
{
	for (;;) {
		struct pollfd watched[WATCHED_COUNT];
		struct signalfd_siginfo info;
		int r = 0;

		if (has_ended(worker))
			return WORKER_ENDED;
		watch(worker, signal_fd, watched);
		if (poll(watched, WATCHED_COUNT, time_left_ms(deadline_ms)) < 0 && errno != EINTR)
			return WORKER_NONSENSE;
		if (deadline_ms != 0 && worker_now_ms() >= deadline_ms)
			return WORKER_TIMEOUT;
		if (watched[WATCHED_SIGNAL].revents != 0 && ret_signal == NULL)
			return WORKER_SIGNAL;
		if (watched[WATCHED_SIGNAL].revents != 0 &&
		    read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			*ret_signal = (int)info.ssi_signo;
			return WORKER_SIGNAL;
		}
		if (worker->output != NULL &&
		    output_cap_move(worker->output, watched + WATCHED_OUTPUT) < 0) {
			/* Nobody takes it any more. */
			*ret_signal = SIGPIPE;
			return WORKER_SIGNAL;
		}
		if (worker->output != NULL && output_cap_is_over(worker->output))
			return WORKER_OUTPUT;
		if (watched[WATCHED_CONTROL].revents != 0)
			r = read_message(worker, limit_bytes, ret_message);
		if (r > 0)
			return WORKER_MESSAGE;
		if (r == -EPIPE || r == -ECONNRESET)
			hang_up(worker);
		else if (r < 0)
			return WORKER_NONSENSE;
	}
}

void
worker_finish(struct worker *worker)
{
	struct pollfd end = { .events = POLLIN };

	if (worker->pid < 0)
		return;
	end.fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	if (end.fd < 0 || poll(&end, 1, FINISH_MS) != 1)
		kill(worker->pid, SIGKILL);
	fd_close(end.fd);
	reap(worker);
}

void
worker_end(struct worker *worker)
{
	if (worker->pid > 0)
		kill(worker->pid, SIGKILL);
	reap(worker);
	fd_close(TAKE_FD(worker->control_fd));
	fd_close(TAKE_FD(worker->pidfd));
	message_reader_done(&worker->reader);
}

void
worker_put_end(const struct worker *worker, struct strbuf *out)
{
	if (WIFSIGNALED(worker->wait_status))
		strbuf_printf(out, "was ended by the signal %d (%s)", WTERMSIG(worker->wait_status),
			      strsignal(WTERMSIG(worker->wait_status)));
	else
		strbuf_printf(out, "ended with the code %d", WEXITSTATUS(worker->wait_status));
}
