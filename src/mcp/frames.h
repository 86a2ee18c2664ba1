/* Messages out of a stream of bytes: lines, or framed by Content-Length (as in LSP); pure. */
#ifndef PORTA_MCP_FRAMES_H
#define PORTA_MCP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "util/strings.h"

#define FRAMES_HEADER_BYTES_MAX 4096

struct frames {
	struct strbuf bytes;
	size_t used;	 /* of what was handed out */
	size_t searched; /* no end of a line before it */
	bool is_skipping; /* a line that is too long */
	bool has_length;  /* the message handed out last was framed by Content-Length */
};

#define FRAMES_INIT { .bytes = STRBUF_INIT }

enum frames_result {
	FRAMES_MORE,	 /* there is no whole message yet */
	FRAMES_MESSAGE,	 /* *ret_text, up to the next call */
	FRAMES_TOO_LONG, /* one is left out, of more than RPC_MESSAGE_BYTES_MAX */
	FRAMES_BROKEN,	 /* a header that cannot be obeyed: what follows has no meaning */
};

void frames_done(struct frames *frames);
void frames_add(struct frames *frames, const char *bytes, size_t length);
/* `at_end`: no more comes, what is there is a line. */
enum frames_result frames_next(struct frames *frames, bool at_end, const char **ret_text,
			       size_t *ret_length);
/* Adds a message as the client frames its own. */
void frames_put(const struct frames *frames, const struct strbuf *text, struct strbuf *out);

#endif
