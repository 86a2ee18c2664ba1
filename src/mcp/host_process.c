/* Host calls that take their time; see host_process.h. */
#include "mcp/host_process.h"

#include <signal.h>
#include <sys/socket.h>

#include "mcp/child.h"
#include "mcp/outbox.h"
#include "util/exit_code.h"
#include "util/mem.h"
#include "wasm/host_http.h"
#include "wasm/worker.h"

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
serve(const void *data, int fd)
{
	struct host_http http = HOST_HTTP_INIT;
	struct host_calls_context context = *(const struct host_calls_context *)data;
	struct message_reader reader = MESSAGE_READER_INIT;
	struct message message;

	if (sigprocmask(SIG_SETMASK, context.signal_mask, NULL) < 0)
		return EXIT_CODE_FAILED;
	context.http = &http;
	context.signal_fd = -1;
	while (message_read(&reader, fd, MESSAGE_BYTES_MAX, &message) == 1) {
		struct strbuf reply = STRBUF_INIT;

		if (message.kind != MESSAGE_HOST_CALL ||
		    host_calls_answer_message(&context, &message, &reply) < 0 ||
		    message_send(fd, MESSAGE_REPLY, reply.text, reply.length) < 0)
			return EXIT_CODE_FAILED;
		strbuf_done(&reply);
	}
	return EXIT_CODE_OK;
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
	struct worker child;

	if (child_start(serve, context, SOCK_STREAM, &child, err) < 0)
		return NULL;
	process = MEM_NEW(struct host_process);
	process->child = child;
	process->fn = fn;
	process->data = data;
	process->watch = event_watch_new(events, child.control_fd, watched, process);
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
