/*
 * requestState (MCP 2026-07-28, multi round-trip requests): what a guest wants back with the client's
 * next try, sealed, so that no client reads, changes, or uses it for another request or too late.
 */
#ifndef PORTA_MCP_STATE_H
#define PORTA_MCP_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/json.h"
#include "util/strings.h"

#define STATE_KEY_BYTES	 32
#define STATE_SECONDS_MAX 3600
/* Of what a client sends back. */
#define STATE_TEXT_BYTES_MAX ((size_t)1024 * 1024)

struct state_key {
	uint8_t bytes[STATE_KEY_BYTES];
};

/* Drawn at random: good for this process. */
int state_key_draw(struct state_key *ret_key, struct error *err);
/* Of a file that replicas share: at least 32 bytes that nobody can guess. */
int state_key_load(const char *path, struct state_key *ret_key, struct error *err);

/* What a state is for: a request's method, the name or URI in it, and its arguments (NULL: none). */
struct state_bound {
	const char *method;
	const char *name;
	const json_value *arguments;
};

/* `now` is time(2). 0, or a negative errno and a sentence. */
int state_seal(const struct state_key *key, const struct state_bound *bound, int64_t now,
	       const char *text, struct strbuf *out, struct error *err);
/* -EINVAL and a sentence: it is not porta's, not for this, or too old. */
int state_open(const struct state_key *key, const struct state_bound *bound, int64_t now,
	       const char *sealed, struct strbuf *out, struct error *err);

#endif
