/* MCP over standard input and output; see stdio.h. */
#include "mcp/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "mcp/frames.h"
#include "util/fd.h"
#include "util/mem.h"

#define READ_BYTES ((size_t)64 * 1024)
/* After an answer, for the next request. */
#define SPIN_US 50
/* So much may wait for a client that does not read, before no more is asked of the server. */
#define OUT_BYTES_FULL ((size_t)1024 * 1024)
#define OUT_KEPT_BYTES ((size_t)256 * 1024)

struct mcp_stdio {
	struct mcp_stream stream; /* of all messages */
	struct events *events;
	struct mcp_server *server;
	struct mcp_session *session;
	int in_fd;
	int out_fd;
	int own_out_fd; /* a pipe once more, which does not block; -1: none */
	bool out_is_socket;
	struct event_watch *in_watch;  /* NULL: a file, which is always readable */
	struct event_timer *in_timer;  /* reads on: a file, or after a pause */
	struct event_watch *out_watch; /* NULL: never waits */
	struct frames frames;
	struct strbuf out;
	size_t out_sent;
	bool is_paused;
	bool is_over;  /* the input has ended; what was read is still taken */
	bool is_ended; /* no more is taken */
	bool is_broken; /* the client is gone */
	bool is_idle;	/* all is answered */
};

static void want_more(struct mcp_stdio *stdio);

/* epoll takes no files, nor /dev/null: they are always ready. */
static bool
is_pollable(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	_cleanup_fd_ int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	return epoll_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static size_t
waiting(const struct mcp_stdio *stdio)
{
	return stdio->out.length - stdio->out_sent;
}

static void
break_off(struct mcp_stdio *stdio)
{
	stdio->is_broken = true;
	stdio->is_ended = true;
	stdio->out.length = 0;
	stdio->out_sent = 0;
	events_stop(stdio->events);
}

/* Never blocks where the other side is a pipe or a socket. */
static ssize_t
write_some(const struct mcp_stdio *stdio, const char *bytes, size_t length)
{
	if (stdio->out_is_socket)
		return send(stdio->out_fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (stdio->own_out_fd >= 0)
		return write(stdio->own_out_fd, bytes, length);
	if (stdio->out_watch != NULL) {
		struct pollfd ready = { .fd = stdio->out_fd, .events = POLLOUT };

		if (poll(&ready, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
		/* What a pipe or terminal that is ready takes. */
		length = MIN(length, (size_t)PIPE_BUF);
	}
	return write(stdio->out_fd, bytes, length);
}

static void
flush(struct mcp_stdio *stdio)
{
	bool was_full = waiting(stdio) >= OUT_BYTES_FULL;

	while (waiting(stdio) > 0) {
		ssize_t n = write_some(stdio, stdio->out.text + stdio->out_sent, waiting(stdio));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && stdio->out_watch != NULL) {
			event_watch_set(stdio->out_watch, EVENTS_WRITE);
			break;
		}
		if (n < 0) {
			break_off(stdio);
			return;
		}
		stdio->out_sent += (size_t)n;
	}
	if (waiting(stdio) == 0) {
		stdio->out.length = 0;
		stdio->out_sent = 0;
		if (stdio->out.capacity > OUT_KEPT_BYTES)
			strbuf_done(&stdio->out);
		if (stdio->out_watch != NULL)
			event_watch_set(stdio->out_watch, 0);
		if (stdio->is_idle)
			events_stop(stdio->events);
	}
	if (was_full && waiting(stdio) < OUT_BYTES_FULL) {
		mcp_server_drained(stdio->server, &stdio->stream);
		want_more(stdio);
	}
}

static void
put(struct mcp_stdio *stdio, const struct strbuf *text)
{
	bool was_empty = waiting(stdio) == 0;

	if (stdio->is_broken)
		return;
	/* What is sent makes room: a client that reads slowly lets no heap grow. */
	if (stdio->out_sent > stdio->out.length / 2 && stdio->out_sent > 0) {
		memmove(stdio->out.text, stdio->out.text + stdio->out_sent, waiting(stdio));
		stdio->out.length -= stdio->out_sent;
		stdio->out_sent = 0;
	}
	frames_put(&stdio->frames, text, &stdio->out);
	if (was_empty)
		flush(stdio);
}

static void
stream_send(struct mcp_stream *stream, const struct strbuf *text)
{
	put((struct mcp_stdio *)stream, text);
}

static void
stream_answer(struct mcp_stream *stream, const struct strbuf *text, enum mcp_status status)
{
	struct mcp_stdio *stdio = (struct mcp_stdio *)stream;

	(void)status;
	if (text != NULL)
		put(stdio, text);
	want_more(stdio);
	/* This was the only one: a client's next request may be on its way. */
	if (mcp_server_exchanges(stdio->server) == 1 && waiting(stdio) == 0)
		events_spin(stdio->events, SPIN_US);
}

static bool
stream_is_full(struct mcp_stream *stream)
{
	return waiting((struct mcp_stdio *)stream) >= OUT_BYTES_FULL;
}

static const struct mcp_stream_ops stream_ops = { .send = stream_send,
						  .answer = stream_answer,
						  .is_full = stream_is_full };

static void
take(struct mcp_stdio *stdio, const char *text, size_t length)
{
	struct rpc_failure failure;
	json_value *root;

	if (rpc_parse(text, length, &root, &failure) < 0)
		mcp_server_refuse(stdio->session, &failure, &stdio->stream);
	else
		mcp_server_take(stdio->server, stdio->session, root, length, &stdio->stream, NULL);
}

static void
refuse(struct mcp_stdio *stdio, const char *sentence)
{
	struct rpc_failure failure = { .code = RPC_INVALID_REQUEST };

	error_set(&failure.sentence, -E2BIG, "%s", sentence);
	mcp_server_refuse(stdio->session, &failure, &stdio->stream);
}

static bool
may_take(const struct mcp_stdio *stdio)
{
	return !stdio->is_broken && waiting(stdio) < OUT_BYTES_FULL &&
	       !mcp_server_is_full(stdio->server);
}

static void
idle(void *data)
{
	struct mcp_stdio *stdio = data;

	stdio->is_idle = true;
	if (waiting(stdio) == 0)
		events_stop(stdio->events);
}

void
mcp_stdio_finish(struct mcp_stdio *stdio)
{
	if (stdio->is_ended)
		return;
	stdio->is_ended = true;
	if (stdio->in_watch != NULL)
		event_watch_set(stdio->in_watch, 0);
	mcp_server_finish(stdio->server, idle, stdio);
}

/* Until nothing whole is left. false: there is more, which has to wait. */
static bool
take_all(struct mcp_stdio *stdio)
{
	const char *text;
	size_t length;

	while (may_take(stdio)) {
		switch (frames_next(&stdio->frames, stdio->is_over, &text, &length)) {
		case FRAMES_MESSAGE:
			take(stdio, text, length);
			break;
		case FRAMES_TOO_LONG:
			refuse(stdio, "the message is too long");
			break;
		case FRAMES_MORE:
			return true;
		case FRAMES_BROKEN:
			refuse(stdio, "the Content-Length cannot be obeyed");
			mcp_stdio_finish(stdio);
			return true;
		}
	}
	return false;
}

/* What was read is taken; then more is wanted, or there is none. */
static void
go_on(struct mcp_stdio *stdio)
{
	if (stdio->is_ended)
		return;
	stdio->is_paused = !take_all(stdio);
	if (stdio->is_ended)
		return;
	if (stdio->is_over && !stdio->is_paused)
		mcp_stdio_finish(stdio);
	else if (stdio->in_watch != NULL)
		event_watch_set(stdio->in_watch, stdio->is_paused || stdio->is_over ? 0 : EVENTS_READ);
	else if (!stdio->is_paused)
		event_timer_set(stdio->in_timer, 0);
}

static void
read_more(struct mcp_stdio *stdio)
{
	char bytes[READ_BYTES];
	ssize_t n;

	if (stdio->is_ended || stdio->is_paused)
		return;
	n = stdio->is_over ? 0 : read(stdio->in_fd, bytes, sizeof(bytes));
	if (n > 0)
		frames_add(&stdio->frames, bytes, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		stdio->is_over = true;
	go_on(stdio);
}

/* After a pause, what was read already comes first. */
static void
timer_due(void *data)
{
	struct mcp_stdio *stdio = data;

	if (stdio->is_paused)
		go_on(stdio);
	else
		read_more(stdio);
}

static void
want_more(struct mcp_stdio *stdio)
{
	if (stdio->is_paused && !stdio->is_ended && may_take(stdio))
		event_timer_set(stdio->in_timer, 0);
}

static void
in_is_ready(void *data, unsigned int what)
{
	(void)what;
	read_more(data);
}

static void
out_is_ready(void *data, unsigned int what)
{
	(void)what;
	flush(data);
}

/* Opened anew, a pipe can be made not to block without its other users noticing. */
static void
set_up_output(struct mcp_stdio *stdio)
{
	struct stat status;
	_cleanup_free_ char *path = mem_printf("/proc/self/fd/%d", stdio->out_fd);

	stdio->own_out_fd = -1;
	if (!is_pollable(stdio->out_fd))
		return;
	if (fstat(stdio->out_fd, &status) == 0 && S_ISFIFO(status.st_mode))
		stdio->own_out_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	stdio->out_is_socket = fstat(stdio->out_fd, &status) == 0 && S_ISSOCK(status.st_mode);
	stdio->out_watch = event_watch_new(stdio->events,
					   stdio->own_out_fd >= 0 ? stdio->own_out_fd : stdio->out_fd,
					   out_is_ready, stdio);
}

struct mcp_stdio *
mcp_stdio_new(struct events *events, struct mcp_server *server, int in_fd, int out_fd)
{
	struct mcp_stdio *stdio = MEM_NEW(struct mcp_stdio);

	stdio->stream.ops = &stream_ops;
	stdio->events = events;
	stdio->server = server;
	stdio->in_fd = in_fd;
	stdio->out_fd = out_fd;
	stdio->frames = (struct frames)FRAMES_INIT;
	stdio->session = mcp_session_new(server, &stdio->stream);
	stdio->in_timer = event_timer_new(events, timer_due, stdio);
	set_up_output(stdio);
	if (is_pollable(in_fd)) {
		stdio->in_watch = event_watch_new(events, in_fd, in_is_ready, stdio);
		event_watch_set(stdio->in_watch, EVENTS_READ);
	} else {
		event_timer_set(stdio->in_timer, 0);
	}
	return stdio;
}

void
mcp_stdio_free(struct mcp_stdio *stdio)
{
	if (stdio == NULL)
		return;
	stdio->is_broken = true;
	mcp_session_free(stdio->session);
	mcp_server_hung_up(stdio->server, &stdio->stream);
	event_watch_free(stdio->in_watch);
	event_watch_free(stdio->out_watch);
	event_timer_free(stdio->in_timer);
	fd_close(stdio->own_out_fd);
	frames_done(&stdio->frames);
	strbuf_done(&stdio->out);
	free(stdio);
}
