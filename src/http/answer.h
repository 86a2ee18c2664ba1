/* What an HTTP server answers, as it comes in, within limits. */
#ifndef PORTA_HTTP_ANSWER_H
#define PORTA_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "util/json.h"
#include "util/strings.h"

struct http_answer {
	long status;
	json_value *headers; /* an object: {"name": VALUE}, names in lower case */
	size_t headers_bytes;
	char *location; /* of a header of that name; NULL: none */
	struct strbuf body;
	bool is_too_long;
};

#define HTTP_ANSWER_INIT { .body = STRBUF_INIT }

void http_answer_done(struct http_answer *answer);
/* One line of the head, with its line end; the first line of another head (after 100, 103) begins anew. */
bool http_answer_add_header(struct http_answer *answer, const char *line, size_t length);
/* False where the answer is longer than it may be. */
bool http_answer_add_body(struct http_answer *answer, const char *bytes, size_t length);
/* {"status", "headers", "body"}; the caller's. */
json_value *http_answer_json(const struct http_answer *answer);

#endif
