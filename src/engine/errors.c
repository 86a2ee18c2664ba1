/* Wasmtime's errors as one sentence; see errors.h. */
#include "engine/errors.h"

#include <ctype.h>
#include <string.h>

#include "util/mem.h"

/* The last line that is not empty, cut out of `text`, without its number ("    1: "). */
static const char *
last_line(char *text)
{
	size_t length = strlen(text);
	char *line;

	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	line = strrchr(text, '\n');
	line = line == NULL ? text : line + 1;
	line += strspn(line, " ");
	if (isdigit((unsigned char)*line)) {
		char *end = line + strspn(line, "0123456789");

		if (str_starts_with(end, ": "))
			line = end + strlen(": ");
	}
	return line;
}

static char *
take_text(wasmtime_error_t *error)
{
	wasm_byte_vec_t text;
	char *copy;

	wasmtime_error_message(error, &text);
	copy = mem_strndup(text.data, text.size);
	wasm_byte_vec_delete(&text);
	wasmtime_error_delete(error);
	return copy;
}

void
errors_put(struct strbuf *out, wasmtime_error_t *error)
{
	_cleanup_free_ char *text = take_text(error);

	strbuf_puts(out, last_line(text));
}

void
errors_put_with_context(struct strbuf *out, wasmtime_error_t *error)
{
	_cleanup_free_ char *text = take_text(error);
	size_t first_length = strcspn(text, "\n");
	const char *last = last_line(text);

	strbuf_add(out, text, first_length);
	if (last != text)
		strbuf_printf(out, ": %s", last);
}

int
errors_set(struct error *err, int code, const char *what, wasmtime_error_t *error)
{
	struct strbuf text = STRBUF_INIT;

	errors_put(&text, error);
	error_set(err, code, "%s: %s", what, text.text);
	strbuf_done(&text);
	return code;
}
