/*
 * Messages between porta and its WASM workers, over one stream socket: a header of kind and length,
 * then the bytes. No descriptor travels.
 *
 * The worker trusts porta, and blocks. porta does not trust the worker: it reads without blocking,
 * no more than MESSAGE_BYTES_MAX, waits no longer than it likes for the worker to read, and knows at
 * every moment what the worker may say next.
 */
#ifndef PORTA_WASM_MESSAGE_H
#define PORTA_WASM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/strings.h"

#define MESSAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct message {
	uint32_t kind; /* enum message_kind of protocol.h; not yet checked */
	const char *bytes; /* in the reader's buffer, up to the next call; no NUL behind them */
	size_t length;
};

/* Adds what comes before `length` bytes of a message, for who sends without blocking. */
void message_put_header(struct strbuf *out, uint32_t kind, size_t length);
/* Sends a whole message; blocks. 0 or a negative errno. SIGPIPE never comes. */
int message_send(int fd, uint32_t kind, const void *bytes, size_t length);
/* As message_send, of two parts. */
int message_send_parts(int fd, uint32_t kind, const void *first, size_t first_length,
		       const void *second, size_t second_length);

/* Waits until `fd` can be written: 0, or a negative errno but -EINTR to give up. */
typedef int message_wait(void *data, int fd);
/* As message_send, with `wait` where the other side does not read; returns what that returned. */
int message_send_waiting(int fd, uint32_t kind, const void *bytes, size_t length, message_wait *wait,
			 void *data);

struct message_reader {
	struct strbuf buffer;
	size_t used; /* of the message handed out last */
};

#define MESSAGE_READER_INIT { .buffer = STRBUF_INIT }

void message_reader_done(struct message_reader *reader);
/* Whether something came behind the message handed out last. */
bool message_reader_has_more(const struct message_reader *reader);
/*
 * The next message: 1 and *ret_message; 0 where it is not whole yet (`fd` does not block) and
 * -EPIPE at the end of the stream; -EMSGSIZE, -EBADMSG or another errno for what cannot be.
 */
int message_read(struct message_reader *reader, int fd, size_t limit_bytes,
		 struct message *ret_message);

#endif
