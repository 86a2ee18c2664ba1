/*
 * A limit on what an agent writes: its stdout and stderr are pipes, and porta passes on what comes,
 * until it is too much. Without the limit the agent has porta's own streams.
 */
#ifndef PORTA_WASM_OUTPUT_CAP_H
#define PORTA_WASM_OUTPUT_CAP_H

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define OUTPUT_CAP_STREAMS 2

struct output_cap_stream {
	int read_fd;   /* -1 when it has ended */
	int inside_fd; /* the agent's end, -1 when it is handed out */
	int own_fd;    /* STDOUT_FILENO or STDERR_FILENO */
	/* What was read and not yet passed on: no more than a pipe takes without blocking. */
	char bytes[PIPE_BUF];
	size_t length;
};

struct output_cap {
	struct output_cap_stream streams[OUTPUT_CAP_STREAMS];
	uint64_t left_bytes;
	bool is_over; /* the agent wrote more, of which nothing is taken */
};

/* Makes the pipes. 0 or a negative errno and a sentence; output_cap_done in each case. */
int output_cap_init(struct output_cap *cap, uint64_t limit_bytes, struct error *err);
void output_cap_done(struct output_cap *cap);
/* The agent has its ends: closes porta's copies. */
void output_cap_handed_out(struct output_cap *cap);
/* What to poll for: one entry for each stream. */
void output_cap_watch(const struct output_cap *cap, struct pollfd watched[OUTPUT_CAP_STREAMS]);
/* After poll: moves what can be moved. A negative errno where porta's own stream cannot be written. */
int output_cap_move(struct output_cap *cap, const struct pollfd watched[OUTPUT_CAP_STREAMS]);
/* Counts what reaches porta's streams in another way; false where that is more than there may be. */
bool output_cap_count(struct output_cap *cap, size_t bytes);
/* The agent wrote more than it may, and what it may write is passed on. */
bool output_cap_is_over(const struct output_cap *cap);
/* Both streams have ended, and all is passed on. */
bool output_cap_is_empty(const struct output_cap *cap);

#endif
