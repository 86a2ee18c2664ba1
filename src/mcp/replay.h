/*
 * What went over the streams of a session, kept for a client whose connection broke (MCP 2025-11-25,
 * transports: Resumability and Redelivery). An event's id is "STREAM-NUMBER", unique in the session; number 0 is the
 * event that a stream begins with. Memory is bounded, for a session and for all: the oldest events go.
 */
#ifndef PORTA_MCP_REPLAY_H
#define PORTA_MCP_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "util/strings.h"

#define REPLAY_BYTES_MAX     ((size_t)1024 * 1024)	 /* of a session */
#define REPLAY_ALL_BYTES_MAX ((size_t)64 * 1024 * 1024) /* of all sessions */
#define REPLAY_MS 300000 /* nothing is kept for longer */

/* Of a session. */
struct replay {
	size_t *all_bytes; /* what all sessions keep, the caller's */
	struct replay_event *first;
	struct replay_event **last;
	size_t bytes;
	uint64_t streams_last;
};

struct replay_id {
	uint64_t stream;
	uint64_t number;
};

void replay_init(struct replay *replay, size_t *all_bytes);
void replay_done(struct replay *replay);
/* A stream of a request; the session's own is 0. */
uint64_t replay_new_stream(struct replay *replay);
/* Keeps an event, maybe not for long. */
void replay_add(struct replay *replay, struct replay_id id, const struct strbuf *text,
		uint64_t now_ms);
void replay_expire(struct replay *replay, uint64_t now_ms);

typedef void replay_fn(void *data, struct replay_id id, const struct strbuf *text);

/* In their order the events of the stream behind `id`, which are still kept; returns how many. `fn` NULL: counts. */
size_t replay_each(const struct replay *replay, struct replay_id id, replay_fn *fn, void *data);

/* -EINVAL: this is no id that replay_put_id writes. */
int replay_parse_id(const char *text, struct replay_id *ret_id);
void replay_put_id(struct strbuf *out, struct replay_id id);

#endif
