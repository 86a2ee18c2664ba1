/*
 * A WASM worker from porta's side: the process porta-engine, and what it says.
 *
 * Whatever it says is taken for hostile: a worker may be what a module has made of it. It is ended
 * with SIGKILL at any time, and with porta by itself.
 */
#ifndef PORTA_WASM_WORKER_H
#define PORTA_WASM_WORKER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/broker.h"
#include "policy/policy.h"
#include "util/error.h"
#include "wasm/message.h"
#include "wasm/output_cap.h"
#include "wasm/protocol.h"

struct worker {
	pid_t pid; /* -1: none */
	int control_fd;
	int pidfd; /* once it has hung up, which is not its end yet */
	struct output_cap *output; /* of worker_start, the caller's */
	struct message_reader reader;
	int wait_status; /* when it has ended */
};

#define WORKER_INIT { .pid = -1, .control_fd = -1, .pidfd = -1, .reader = MESSAGE_READER_INIT }

/* What a worker is born with; the descriptors stay the caller's. */
struct worker_start {
	const char *program; /* NULL: porta-engine */
	int code_fd;   /* see protocol.h; -1: none */
	int output_fd; /* -1: none */
	bool streams;  /* 0, 1 and 2 are porta's own; else /dev/null */
	struct output_cap *output; /* 1 and 2 with `streams`; NULL: porta's own */
	const sigset_t *signal_mask; /* what porta was started with */
	bool own_group; /* what a terminal sends is not for it: porta says when it ends */
	/*
	 * Not NULL: the worker runs inside the native sandbox that this policy makes, since the guest
	 * may touch files. Then nothing but code_fd is handed in, and 0 to 2 are what a command gets.
	 */
	const struct policy *sandbox;
	const struct broker_options *broker; /* of such a sandbox */
	const struct strv *environment;	     /* in it; NULL: none */
	const char *directory;		     /* where it begins; NULL: in porta's own */
};

/* Starts a worker. 0 or a negative errno and a sentence. The caller ends it with worker_end. */
int worker_start(struct worker *worker, const struct worker_start *start, struct error *err);

/* How long porta waits for somebody to read: a pipe's reader, or a worker that may be hostile. */
struct worker_patience {
	uint64_t deadline_ms; /* of worker_now_ms; 0: none */
	int signal_fd;	      /* a signalfd, of which nothing is read; -1: none */
};

/* Waits until `fd` can be written: 0, -ETIMEDOUT, or -ECANCELED where a signal waits. */
int worker_wait_writable(const struct worker_patience *patience, int fd);
/* Sends a message. One that has ended or does not read is seen by who waits for its answer: that is 0 too. */
int worker_tell(struct worker *worker, enum message_kind kind, const struct strbuf *bytes,
		const struct worker_patience *patience, struct error *err);
/* The first message, which no module has had a hand in yet; nothing of it stays in memory. */
int worker_configure(struct worker *worker, const struct protocol_config *config, struct error *err);

/* Why waiting ended without a message. */
enum worker_wait {
	WORKER_MESSAGE,
	WORKER_ENDED,	 /* it hung up: worker->wait_status says how; all that it wrote is passed on */
	WORKER_TIMEOUT,	 /* the deadline is over */
	WORKER_SIGNAL,	 /* porta got a signal: *ret_signal */
	WORKER_OUTPUT,	 /* it wrote more than `output` lets */
	WORKER_NONSENSE, /* what it says is no message */
};

/*
 * The next message, of at most `limit_bytes`. `deadline_ms` is of worker_now_ms, 0: none;
 * `signal_fd` a signalfd, -1: none; with `ret_signal` NULL its signal is left to be read.
 */
enum worker_wait worker_wait(struct worker *worker, size_t limit_bytes, uint64_t deadline_ms,
			     int signal_fd, struct message *ret_message, int *ret_signal);
/* CLOCK_MONOTONIC */
uint64_t worker_now_ms(void);

/* It has hung up: waits a moment for its end, for what that was, and else kills it. */
void worker_finish(struct worker *worker);
/* Kills it, waits for its end, closes what belongs to it. Of a worker that never started nothing. */
void worker_end(struct worker *worker);
/* In a child that does not become another program: it ends with its parent, also a killed one. */
void worker_end_with_parent(pid_t parent);
/* In a child too: no handler of the parent's is left; what is ignored stays so. */
void worker_reset_signals(void);
/* What its end was, as a sentence that goes on "the worker ...": "was ended by the signal 11". */
void worker_put_end(const struct worker *worker, struct strbuf *out);

#endif
