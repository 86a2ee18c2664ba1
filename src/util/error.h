/*
 * Errors as values: a function that can fail returns 0 or a negative errno and
 * fills the caller's `struct error` with one sentence for a person.
 */
#ifndef PORTA_UTIL_ERROR_H
#define PORTA_UTIL_ERROR_H

#include "util/macros.h"

#define ERROR_MESSAGE_BYTES 1024

/*
 * The caller's storage. `message` is a NUL-terminated sentence without a full
 * stop or a newline; longer text is cut. Empty when nothing failed.
 */
struct error {
	char message[ERROR_MESSAGE_BYTES];
};

#define ERROR_INIT { .message = "" }

/*
 * Sets the message and returns `code` (a negative errno), so that a caller can
 * `return error_set(err, -EINVAL, "...")`. `err` is never NULL.
 */
int error_set(struct error *err, int code, const char *fmt, ...) _printf_(3, 4);

/* As error_set, with ": " and the text of `code` (strerror) at the end. */
int error_set_errno(struct error *err, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts what was being attempted and ": " before the message that is there; returns `code`. */
int error_wrap(struct error *err, int code, const char *fmt, ...) _printf_(3, 4);

#endif
