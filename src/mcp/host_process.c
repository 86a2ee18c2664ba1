/* Host calls that take their time; see host_process.h. */
#include "mcp/host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "mcp/outbox.h"
#include "mcp/processor.h"
#include "util/fd.h"
#include "util/exit_code.h"
#include "util/mem.h"
#include "wasm/host_http.h"
#include "wasm/worker.h"

#define CHILD_FD 3
/* A command's two streams, as JSON with every byte escaped. */
#define REPLY_BYTES_MAX MESSAGE_BYTES_MAX

struct host_process {
	struct worker child; /* of worker.h only its end is used */
	struct event_watch *watch;
	struct outbox outbox;
	host_process_fn *fn;
	void *data;
};

/* The child answers until porta-server hangs up. */
static int
serve(const struct host_calls_context *context)
{
	struct message_reader reader = MESSAGE_READER_INIT;
	struct message message;

	while (message_read(&reader, CHILD_FD, MESSAGE_BYTES_MAX, &message) == 1) {
		struct strbuf reply = STRBUF_INIT;

		if (message.kind != MESSAGE_HOST_CALL ||
		    host_calls_answer_message(context, &message, &reply) < 0 ||
		    message_send(CHILD_FD, MESSAGE_REPLY, reply.text, reply.length) < 0)
			return EXIT_CODE_FAILED;
		strbuf_done(&reply);
	}
	return EXIT_CODE_OK;
}

/* Nothing of the server's is left in it: no client's socket, no handler, no standard stream but stderr. */
static _noreturn_ void
become_child(pid_t parent, int fd, const struct host_calls_context *server_context)
{
	struct host_http http = HOST_HTTP_INIT;
	struct host_calls_context context = *server_context;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	worker_end_with_parent(parent);
	/* What a terminal sends is not for it. */
	(void)setpgid(0, 0);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    (fd != CHILD_FD && dup3(fd, CHILD_FD, O_CLOEXEC) < 0) ||
	    syscall(SYS_close_range, CHILD_FD + 1, ~0U, 0U) < 0)
		_exit(EXIT_CODE_FAILED);
	worker_reset_signals();
	if (sigprocmask(SIG_SETMASK, context.signal_mask, NULL) < 0)
		_exit(EXIT_CODE_FAILED);
	context.http = &http;
	context.signal_fd = -1;
	_exit(serve(&context));
}

static void
watched(void *data, unsigned int what)
{
	struct host_process *process = data;
	struct message message;
	struct strbuf reply = STRBUF_INIT;
	int r;

	if ((what & EVENTS_WRITE) != 0)
		outbox_flush(&process->outbox, process->child.control_fd, process->watch);
	if ((what & EVENTS_READ) == 0)
		return;
	r = message_read(&process->child.reader, process->child.control_fd, REPLY_BYTES_MAX, &message);
	if (r == 0)
		return;
	if (r < 0 || message.kind != MESSAGE_REPLY || message.length < sizeof(uint32_t)) {
		process->fn(process->data, NULL);
		return;
	}
	strbuf_add(&reply, message.bytes, message.length);
	process->fn(process->data, &reply);
	strbuf_done(&reply);
}

struct host_process *
host_process_new(struct events *events, const struct host_calls_context *context,
		 host_process_fn *fn, void *data, struct error *err)
{
	struct host_process *process;
	int pair[2];
	pid_t parent = getpid();
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		error_set_errno(err, -errno, "cannot make a socket pair");
		return NULL;
	}
	processor_let_go();
	pid = fork();
	if (pid == 0)
		become_child(parent, pair[1], context);
	fd_close(pair[1]);
	if (pid < 0) {
		error_set_errno(err, -errno, "cannot start a process");
		fd_close(pair[0]);
		return NULL;
	}
	process = MEM_NEW(struct host_process);
	process->child = (struct worker)WORKER_INIT;
	process->child.pid = pid;
	process->child.control_fd = pair[0];
	(void)fd_set_nonblocking(pair[0], true);
	process->fn = fn;
	process->data = data;
	process->watch = event_watch_new(events, pair[0], watched, process);
	event_watch_set(process->watch, EVENTS_READ);
	return process;
}

void
host_process_free(struct host_process *process)
{
	if (process == NULL)
		return;
	event_watch_free(process->watch);
	worker_end(&process->child);
	outbox_done(&process->outbox);
	free(process);
}

void
host_process_ask(struct host_process *process, enum host_function function, const char *request,
		 size_t length)
{
	uint32_t number = function;

	outbox_send(&process->outbox, process->child.control_fd, process->watch, MESSAGE_HOST_CALL,
		    &number, sizeof(number), request, length);
}
