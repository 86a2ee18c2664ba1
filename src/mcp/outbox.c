/* Messages on their way to another process; see outbox.h. */
#include "mcp/outbox.h"

#include <errno.h>
#include <sys/socket.h>

/* What is kept of the memory when all is sent. */
#define KEPT_BYTES ((size_t)64 * 1024)

void
outbox_done(struct outbox *outbox)
{
	strbuf_done(&outbox->bytes);
	outbox->sent = 0;
}

void
outbox_flush(struct outbox *outbox, int fd, struct event_watch *watch)
{
	struct strbuf *bytes = &outbox->bytes;

	while (outbox->sent < bytes->length) {
		ssize_t n = send(fd, bytes->text + outbox->sent, bytes->length - outbox->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			event_watch_set(watch, EVENTS_READ | EVENTS_WRITE);
			return;
		}
		/* Its end is seen where it is read. */
		if (n < 0)
			break;
		outbox->sent += (size_t)n;
	}
	bytes->length = 0;
	outbox->sent = 0;
	if (bytes->capacity > KEPT_BYTES)
		strbuf_done(bytes);
	event_watch_set(watch, EVENTS_READ);
}

void
outbox_send(struct outbox *outbox, int fd, struct event_watch *watch, enum message_kind kind,
	    const void *first, size_t first_length, const void *second, size_t second_length)
{
	bool was_empty = outbox->bytes.length == 0;

	message_put_header(&outbox->bytes, kind, first_length + second_length);
	strbuf_add(&outbox->bytes, first, first_length);
	strbuf_add(&outbox->bytes, second, second_length);
	if (was_empty)
		outbox_flush(outbox, fd, watch);
}
