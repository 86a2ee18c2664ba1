/* Messages to and from WASM workers; see message.h. */
#include "wasm/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/macros.h"

struct header {
	uint32_t kind;
	uint32_t length;
};

/* What one read asks for at most, so that a message of its own making costs a worker little more than us. */
#define READ_BYTES ((size_t)64 * 1024)

static int
send_parts(int fd, struct iovec *parts, int count, message_wait *wait, void *data)
{
	int flags = MSG_NOSIGNAL | (wait != NULL ? MSG_DONTWAIT : 0);

	while (count > 0) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)count };
		ssize_t n = sendmsg(fd, &message, flags);

		if (n < 0) {
			int r = -errno;

			if (r == -EAGAIN && wait != NULL)
				r = wait(data, fd);
			if (r < 0 && r != -EINTR)
				return r;
			continue;
		}
		for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--)
			n -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int
send_message(int fd, uint32_t kind, const void *first, size_t first_length, const void *second,
	     size_t second_length, message_wait *wait, void *data)
{
	struct header header = { .kind = kind, .length = (uint32_t)(first_length + second_length) };
	struct iovec parts[] = {
		{ &header, sizeof(header) },
		{ (void *)first, first_length },
		{ (void *)second, second_length },
	};

	if (first_length + second_length > MESSAGE_BYTES_MAX)
		return -EMSGSIZE;
	return send_parts(fd, parts, ARRAY_SIZE(parts), wait, data);
}

int
message_send_parts(int fd, uint32_t kind, const void *first, size_t first_length,
		   const void *second, size_t second_length)
{
	return send_message(fd, kind, first, first_length, second, second_length, NULL, NULL);
}

void
message_put_header(struct strbuf *out, uint32_t kind, size_t length)
{
	const struct header header = { .kind = kind, .length = (uint32_t)length };

	strbuf_add(out, (const char *)&header, sizeof(header));
}

int
message_send_waiting(int fd, uint32_t kind, const void *bytes, size_t length, message_wait *wait,
		     void *data)
{
	return send_message(fd, kind, bytes, length, NULL, 0, wait, data);
}

int
message_send(int fd, uint32_t kind, const void *bytes, size_t length)
{
	return message_send_parts(fd, kind, bytes, length, NULL, 0);
}

void
message_reader_done(struct message_reader *reader)
{
	strbuf_done(&reader->buffer);
	reader->used = 0;
}

bool
message_reader_has_more(const struct message_reader *reader)
{
	return reader->buffer.length > reader->used;
}

/* Whether the buffer holds a whole message; then it is handed out. */
static int
take_message(struct message_reader *reader, size_t limit_bytes, struct message *ret_message)
{
	const struct strbuf *buffer = &reader->buffer;
	struct header header;

	if (buffer->length < sizeof(header))
		return 0;
	memcpy(&header, buffer->text, sizeof(header));
	if (header.length > limit_bytes)
		return -EMSGSIZE;
	if (buffer->length - sizeof(header) < header.length)
		return 0;
	ret_message->kind = header.kind;
	ret_message->bytes = buffer->text + sizeof(header);
	ret_message->length = header.length;
	reader->used = sizeof(header) + header.length;
	return 1;
}

/* What was handed out last makes room; what is behind it moves to the front. */
static void
drop_used(struct message_reader *reader)
{
	struct strbuf *buffer = &reader->buffer;

	if (reader->used == 0)
		return;
	buffer->length -= reader->used;
	memmove(buffer->text, buffer->text + reader->used, buffer->length);
	buffer->text[buffer->length] = '\0';
	reader->used = 0;
}

int
message_read(struct message_reader *reader, int fd, size_t limit_bytes, struct message *ret_message)
{
	char bytes[READ_BYTES];
	int r;

	drop_used(reader);
	for (;;) {
		ssize_t n;

		r = take_message(reader, limit_bytes, ret_message);
		if (r != 0)
			return r;
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0)
			return reader->buffer.length == 0 ? -EPIPE : -EBADMSG;
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN ? 0 : -errno;
		}
		strbuf_add(&reader->buffer, bytes, (size_t)n);
	}
}
