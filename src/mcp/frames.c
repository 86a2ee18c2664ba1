/* Messages out of a stream of bytes; see frames.h. */
#include "mcp/frames.h"

#include <string.h>
#include <strings.h>

#include "mcp/rpc.h"
#include "util/mem.h"

#define LENGTH_NAME "content-length:"
/* What is kept of the room for one message. */
#define KEPT_BYTES ((size_t)256 * 1024)

void
frames_done(struct frames *frames)
{
	strbuf_done(&frames->bytes);
}

void
frames_add(struct frames *frames, const char *bytes, size_t length)
{
	strbuf_add(&frames->bytes, bytes, length);
}

static void
drop_used(struct frames *frames)
{
	struct strbuf *bytes = &frames->bytes;

	if (frames->used == 0)
		return;
	bytes->length -= frames->used;
	if (bytes->length == 0 && bytes->capacity > KEPT_BYTES) {
		strbuf_done(bytes);
	} else {
		memmove(bytes->text, bytes->text + frames->used, bytes->length);
		bytes->text[bytes->length] = '\0';
	}
	frames->used = 0;
	frames->searched = 0;
}

/* Blank lines between messages. */
static void
drop_blanks(struct frames *frames)
{
	while (frames->used < frames->bytes.length &&
	       strchr("\r\n\t ", frames->bytes.text[frames->used]) != NULL &&
	       frames->bytes.text[frames->used] != '\0')
		frames->used++;
	drop_used(frames);
}

static enum frames_result
next_line(struct frames *frames, bool at_end, const char **ret_text, size_t *ret_length)
{
	struct strbuf *bytes = &frames->bytes;
	const char *newline = bytes->length > frames->searched
				  ? memchr(bytes->text + frames->searched, '\n',
					   bytes->length - frames->searched)
				  : NULL;
	bool was_skipping = frames->is_skipping;

	frames->searched = bytes->length;
	if (newline == NULL && bytes->length > RPC_MESSAGE_BYTES_MAX) {
		/* Nothing of it is kept. */
		frames->used = bytes->length;
		drop_used(frames);
		frames->is_skipping = true;
		return FRAMES_MORE;
	}
	if (newline == NULL && !at_end)
		return FRAMES_MORE;
	*ret_text = bytes->text;
	*ret_length = newline == NULL ? bytes->length : (size_t)(newline - bytes->text);
	frames->used = newline == NULL ? bytes->length : *ret_length + 1;
	frames->is_skipping = false;
	if (was_skipping || *ret_length > RPC_MESSAGE_BYTES_MAX)
		return FRAMES_TOO_LONG;
	frames->has_length = false;
	return FRAMES_MESSAGE;
}

/* The value of Content-Length, in lines that end before `end`; false: there is none, or it is no number. */
static bool
find_length(const char *text, const char *end, uint64_t *ret_length)
{
	bool found = false;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline == NULL ? end : newline) - text);
		_cleanup_free_ char *line = mem_strndup(text, length);

		if (strncasecmp(line, LENGTH_NAME, strlen(LENGTH_NAME)) == 0) {
			char *value = line + strlen(LENGTH_NAME);

			value += strspn(value, " \t");
			value[strcspn(value, " \t\r")] = '\0';
			if (found || str_parse_u64(value, 0, RPC_MESSAGE_BYTES_MAX, ret_length) < 0)
				return false;
			found = true;
		}
		text += length + 1;
	}
	return found;
}

/* Where the headers end, by whichever empty line comes first; *ret_head is where the body begins. */
static const char *
find_blank(const struct strbuf *bytes, size_t looked, size_t *ret_head)
{
	const char *wide = memmem(bytes->text, looked, "\r\n\r\n", 4);
	const char *narrow = memmem(bytes->text, looked, "\n\n", 2);
	bool is_wide = wide != NULL && (narrow == NULL || wide < narrow);
	const char *blank = is_wide ? wide : narrow;

	if (blank != NULL)
		*ret_head = (size_t)(blank - bytes->text) + (is_wide ? 4 : 2);
	return blank;
}

static enum frames_result
next_with_length(struct frames *frames, const char **ret_text, size_t *ret_length)
{
	struct strbuf *bytes = &frames->bytes;
	size_t looked = MIN(bytes->length, (size_t)FRAMES_HEADER_BYTES_MAX);
	size_t head = 0;
	const char *blank = find_blank(bytes, looked, &head);
	uint64_t length;

	if (blank == NULL)
		return looked == FRAMES_HEADER_BYTES_MAX ? FRAMES_BROKEN : FRAMES_MORE;
	if (!find_length(bytes->text, blank, &length))
		return FRAMES_BROKEN;
	if (bytes->length - head < length)
		return FRAMES_MORE;
	*ret_text = bytes->text + head;
	*ret_length = (size_t)length;
	frames->used = head + (size_t)length;
	frames->has_length = true;
	return FRAMES_MESSAGE;
}

/* "Content-Length" and "Content-Type": no JSON begins so. */
static bool
begins_with_header(const struct strbuf *bytes, bool *ret_unclear)
{
	static const char name[] = "content-";
	size_t length = MIN(bytes->length, sizeof(name) - 1);

	*ret_unclear = length < sizeof(name) - 1;
	return strncasecmp(bytes->text, name, length) == 0;
}

enum frames_result
frames_next(struct frames *frames, bool at_end, const char **ret_text, size_t *ret_length)
{
	bool is_unclear;

	drop_used(frames);
	if (!frames->is_skipping)
		drop_blanks(frames);
	if (frames->bytes.length == 0)
		return FRAMES_MORE;
	if (!frames->is_skipping && begins_with_header(&frames->bytes, &is_unclear)) {
		if (is_unclear && !at_end)
			return FRAMES_MORE;
		if (!is_unclear)
			return next_with_length(frames, ret_text, ret_length);
	}
	return next_line(frames, at_end, ret_text, ret_length);
}

void
frames_put(const struct frames *frames, const struct strbuf *text, struct strbuf *out)
{
	if (frames->has_length)
		strbuf_printf(out, "Content-Length: %zu\r\n\r\n", text->length);
	strbuf_add(out, text->text, text->length);
	if (!frames->has_length)
		strbuf_putc(out, '\n');
}
