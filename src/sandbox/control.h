/*
 * The messages between init, inside, and the broker, outside: one SOCK_SEQPACKET
 * pair, made before the sandbox, that no sandboxed program ever holds. Each
 * message is one fixed struct. The broker treats what comes from here as
 * trusted but checks it whole; a hang-up of either side ends the sandbox.
 */
#ifndef PORTA_SANDBOX_CONTROL_H
#define PORTA_SANDBOX_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

#define CONTROL_TEXT_BYTES 4096

/* init, or the command before it executes, to the broker. */
enum control_event_kind {
	CONTROL_EVENT_LISTENER, /* passes the seccomp listener; `pid` is the command's, as the broker sees it */
	CONTROL_EVENT_STARTED,	/* the command was executed */
	CONTROL_EVENT_FAILED,	/* set-up failed: `code` a negative errno, `text` the sentence; init exits */
	CONTROL_EVENT_EXEC_FAILED, /* execve failed with `code`; init exits */
	CONTROL_EVENT_STOPPED,	/* the command stopped by signal `code` */
	CONTROL_EVENT_CONTINUED,
	CONTROL_EVENT_EXITED,	/* the command ended: `code` is its wait status */
	CONTROL_EVENT_GUARD,	/* a protected name was made or changed: `text` is "LABEL\nPATH\nQUARANTINE PATH" */
	CONTROL_EVENT_PLACEHOLDER, /* sent before one is made: `text` is its path */
	CONTROL_EVENT_KIND_COUNT,
};

struct control_event {
	uint32_t kind;
	int32_t code;
	int32_t pid;
	uint32_t text_length; /* without a NUL; at most CONTROL_TEXT_BYTES - 1 */
	char text[CONTROL_TEXT_BYTES];
};

/* the broker to init. */
enum control_order_kind {
	CONTROL_ORDER_SIGNAL, /* send signal `code` to the command's process group */
	CONTROL_ORDER_END,    /* kill everything, put right what the guard holds, exit */
	CONTROL_ORDER_KIND_COUNT,
};

struct control_order {
	uint32_t kind;
	int32_t code;
};

int control_send_event(int control_fd, enum control_event_kind kind, int code, const char *text,
		       int passed_fd);
/*
 * Receives one event; blocks unless the socket is non-blocking (-EAGAIN). Returns 1, or 0 when init hung up, or a
 * negative errno (-EPROTO for what is no event). `text` is NUL-terminated. `pid` is the
 * kernel's word for the sender (SCM_CREDENTIALS). *ret_fd is the caller's, or -1.
 */
int control_receive_event(int control_fd, struct control_event *ret_event, int *ret_fd);
int control_send_order(int control_fd, enum control_order_kind kind, int code);
int control_receive_order(int control_fd, struct control_order *ret_order);

#endif
