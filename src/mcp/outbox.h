/*
 * Messages on their way to a process that may not read them yet: sending never blocks, and what the
 * other side does not take is kept until it does.
 */
#ifndef PORTA_MCP_OUTBOX_H
#define PORTA_MCP_OUTBOX_H

#include "http/events.h"
#include "util/strings.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

struct outbox {
	struct strbuf bytes;
	size_t sent;
};

#define OUTBOX_INIT { .bytes = STRBUF_INIT }

void outbox_done(struct outbox *outbox);
/*
 * Sends a message of two parts, behind what waits. `watch` is of `fd`, a socket, and is set to what
 * is waited for: reading always, writing while something is kept.
 */
void outbox_send(struct outbox *outbox, int fd, struct event_watch *watch, enum message_kind kind,
		 const void *first, size_t first_length, const void *second, size_t second_length);
/* `fd` can be written. */
void outbox_flush(struct outbox *outbox, int fd, struct event_watch *watch);

#endif
