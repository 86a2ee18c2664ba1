/*
 * The messages from inside the sandbox to the broker: one SOCK_SEQPACKET pair, made
 * before the sandbox, that no sandboxed program ever holds. Each message is one
 * fixed struct, cut after its text. The broker checks each whole before it acts.
 * Nothing travels the other way but the word to begin: signals are sent by the
 * broker itself, and a hang-up of either side ends the sandbox.
 */
#ifndef PORTA_SANDBOX_CONTROL_H
#define PORTA_SANDBOX_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

#define CONTROL_TEXT_BYTES 4096

/* By init, or by the command's process before it executes (LISTENER). */
enum control_event_kind {
	CONTROL_EVENT_LISTENER, /* passes the seccomp listener, if the tier has one; `pid` is the command's */
	CONTROL_EVENT_FAILED,	/* set-up failed: `code` a negative errno, `text` the sentence; init exits */
	CONTROL_EVENT_EXEC_FAILED, /* execve failed with `code`, a negative errno; init exits */
	CONTROL_EVENT_STOPPED,	/* the command stopped by signal `code` */
	CONTROL_EVENT_CONTINUED,
	CONTROL_EVENT_EXITED,	/* the command ended: `code` is its wait status; all is dead and put right, and init exits */
	CONTROL_EVENT_GUARD,	/* a protected name was made or changed: `text` is "LABEL\nPATH\nQUARANTINE PATH" */
	CONTROL_EVENT_PLACEHOLDER, /* sent before one is made: `text` is its path */
	CONTROL_EVENT_KIND_COUNT,
};

struct control_event {
	uint32_t kind;
	int32_t code;
	int32_t pid; /* the sender, as the receiver sees it; the kernel's word (SCM_CREDENTIALS) */
	uint32_t text_length; /* without a NUL; at most CONTROL_TEXT_BYTES - 1 */
	char text[CONTROL_TEXT_BYTES];
};

/* Makes the pair, close-on-exec; the broker's end asks for credentials. */
int control_pair(int *ret_broker_fd, int *ret_init_fd);

/* `text` may be NULL and is cut at the limit. 0 or a negative errno (-EPIPE: the broker has gone). */
int control_send_event(int control_fd, enum control_event_kind kind, int code, const char *text,
		       int passed_fd);
/*
 * Receives one event without waiting. Returns 1, 0 when init hung up, -EAGAIN, or another
 * negative errno (-EPROTO for what is no event). `text` is NUL-terminated. *ret_fd is the
 * caller's, or -1.
 */
int control_receive_event(int control_fd, struct control_event *ret_event, int *ret_fd);

/* The one word from the broker: the id maps are written, go on. */
int control_send_go(int control_fd);
/* Waits for it; -EPIPE when the broker has gone. */
int control_wait_go(int control_fd);

#endif
