/* Wasmtime's errors as one sentence. */
#ifndef PORTA_ENGINE_ERRORS_H
#define PORTA_ENGINE_ERRORS_H

#include <wasmtime.h>

#include "util/error.h"
#include "util/strings.h"

/*
 * Adds what is at the bottom of an error, and frees it. Wasmtime's text has a line for each layer
 * ("failed to compile", "translation error", ...), of which the last says what is wrong.
 */
void errors_put(struct strbuf *out, wasmtime_error_t *error);
/* As errors_put, with what the error came of before it: "incompatible import type for `a::b`: ...". */
void errors_put_with_context(struct strbuf *out, wasmtime_error_t *error);
/* "WHAT: the error" for who called; frees the error. Returns `code`, a negative errno. */
int errors_set(struct error *err, int code, const char *what, wasmtime_error_t *error);

#endif
