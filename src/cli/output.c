/* How the command line speaks; see output.h. */
#include "cli/output.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "util/fd.h"
#include "util/mem.h"

int
output_print(const struct strbuf *out)
{
	struct error err = ERROR_INIT;
	int r;

	if (out->length == 0)
		return EXIT_CODE_OK;
	/* Nothing is executed after this, so no command inherits it. */
	signal(SIGPIPE, SIG_IGN);
	r = fd_write_all(STDOUT_FILENO, out->text, out->length);
	if (r == 0)
		return EXIT_CODE_OK;
	if (r == -EPIPE)
		return EXIT_CODE_FAILED;
	error_set_errno(&err, r, "cannot write to standard output");
	return output_fail(NULL, &err, EXIT_CODE_FAILED);
}

int
output_fail(const char *command, const struct error *err, int code)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_puts(&line, "porta: ");
	if (command != NULL)
		strbuf_printf(&line, "%s: ", command);
	/* Messages hold arguments and paths as they came: a terminal must not obey them. */
	strbuf_put_printable(&line, err->message);
	strbuf_putc(&line, '\n');
	/* There is nobody left to tell if this fails. */
	(void)fd_write_all(STDERR_FILENO, line.text, line.length);
	strbuf_done(&line);
	return code;
}

char *
output_quote(const char *text)
{
	size_t length = strnlen(text, OUTPUT_QUOTE_MAX_BYTES + 1);

	if (length <= OUTPUT_QUOTE_MAX_BYTES)
		return mem_printf("'%s'", text);
	return mem_printf("'%.*s...'", OUTPUT_QUOTE_MAX_BYTES, text);
}

char *
output_quote_name(const char *text)
{
	_cleanup_free_ char *name = mem_strndup(text, strcspn(text, "="));

	return output_quote(name);
}

void
output_put_wrapped(struct strbuf *out, const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (column > indent && column + 1 + length > width) {
			strbuf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			strbuf_putc(out, ' ');
			column++;
		}
		strbuf_add(out, text, length);
		column += length;
		text += length;
		text += strspn(text, " ");
	}
	strbuf_putc(out, '\n');
}
