/* What an HTTP server answers; see answer.h. */
#include "http/answer.h"

#include <ctype.h>
#include <string.h>

#include "http/base64.h"
#include "http/client.h"
#include "util/mem.h"

static void
forget_headers(struct http_answer *answer)
{
	json_free(TAKE_PTR(answer->headers));
	free(TAKE_PTR(answer->location));
}

void
http_answer_done(struct http_answer *answer)
{
	forget_headers(answer);
	strbuf_done(&answer->body);
	*answer = (struct http_answer)HTTP_ANSWER_INIT;
}

/* Several headers of one name are one list (RFC 9110 5.3). */
static void
add_value(json_value *headers, const char *name, const char *value)
{
	const struct json_place place = JSON_PLACE_OF(headers);
	struct json_place member;
	struct error err = ERROR_INIT;
	const char *before;

	if (json_member(&place, name, &member) && json_get_string(&member, &before, &err) == 0) {
		_cleanup_free_ char *both = mem_printf("%s, %s", before, value);

		json_set(headers, name, json_new_string(both));
	} else {
		json_set(headers, name, json_new_string(value));
	}
}

/* Of a line without its end: "Name: value". */
static void
add_line(struct http_answer *answer, char *line)
{
	char *colon = strchr(line, ':');
	char *value;
	size_t length;

	if (colon == NULL)
		return;
	*colon = '\0';
	value = colon + 1;
	value += strspn(value, " \t");
	length = strlen(value);
	while (length > 0 && strchr(" \t", value[length - 1]) != NULL)
		value[--length] = '\0';
	for (char *c = line; *c != '\0'; c++) {
		/* libcurl has looked at the framing, not at this. */
		if ((unsigned char)*c > '~')
			return;
		*c = (char)tolower((unsigned char)*c);
	}
	add_value(answer->headers, line, value);
	if (str_equal(line, "location") && answer->location == NULL)
		answer->location = mem_strdup(value);
}

bool
http_answer_add_header(struct http_answer *answer, const char *line, size_t length)
{
	_cleanup_free_ char *copy = mem_strndup(line, length);

	answer->headers_bytes += length;
	if (answer->headers_bytes > HTTP_ANSWER_HEADERS_MAX_BYTES) {
		answer->is_too_long = true;
		return false;
	}
	if (str_starts_with(copy, "HTTP/"))
		forget_headers(answer);
	if (answer->headers == NULL)
		answer->headers = json_new_object();
	copy[strcspn(copy, "\r\n")] = '\0';
	add_line(answer, copy);
	return true;
}

bool
http_answer_add_body(struct http_answer *answer, const char *bytes, size_t length)
{
	if (length > HTTP_BODY_MAX_BYTES - answer->body.length) {
		answer->is_too_long = true;
		return false;
	}
	strbuf_add(&answer->body, bytes, length);
	return true;
}

json_value *
http_answer_json(const struct http_answer *answer)
{
	json_value *value = json_new_object();
	const struct strbuf *body = &answer->body;

	json_set(value, "status", json_new_integer(answer->status));
	json_set(value, "headers", answer->headers == NULL ? json_new_object()
							   : json_share(answer->headers));
	if (str_is_utf8(body->text, body->length)) {
		json_set(value, "body", json_new_string(body->length == 0 ? "" : body->text));
	} else {
		_cleanup_free_ char *text = base64_encode(body->text, body->length);

		json_set(value, "body", json_new_string(text));
		json_set(value, "body_encoding", json_new_string("base64"));
	}
	return value;
}
