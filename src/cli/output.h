/* How the command line speaks: texts to standard output, and errors, once, to standard error. */
#ifndef PORTA_CLI_OUTPUT_H
#define PORTA_CLI_OUTPUT_H

#include "util/error.h"
#include "util/exit_code.h"
#include "util/strings.h"

/* The most bytes of one argument that a message shows. */
#define OUTPUT_QUOTE_MAX_BYTES 80

/*
 * Writes all of `out` to standard output. Returns EXIT_CODE_OK, or EXIT_CODE_FAILED after
 * saying why; a reader that has gone away (`porta help | head -1`) is no news, and silent.
 */
int output_print(const struct strbuf *out);

/* "porta: COMMAND: MESSAGE" on standard error; `command` may be NULL. Returns `code`. */
int output_fail(const char *command, const struct error *err, int code);

/* `text` in single quotes, cut if it is long; the caller frees it. */
char *output_quote(const char *text);

/* The same of what comes before "=" alone: a value behind it may be a secret. */
char *output_quote_name(const char *text);

/* `text` in lines of at most `width` columns; those after the first begin with `indent` blanks. */
void output_put_wrapped(struct strbuf *out, const char *text, size_t indent, size_t width);

#endif
