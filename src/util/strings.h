/* Growing text, lists of strings, and the numbers a person writes. */
#ifndef PORTA_UTIL_STRINGS_H
#define PORTA_UTIL_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/macros.h"

/* Growing text. `text` is NULL or NUL-terminated; free with strbuf_done. */
struct strbuf {
	char *text;
	size_t length;
	size_t capacity;
};

#define STRBUF_INIT { 0 }

void strbuf_done(struct strbuf *buf);
void strbuf_add(struct strbuf *buf, const char *bytes, size_t n);
void strbuf_puts(struct strbuf *buf, const char *text);
void strbuf_putc(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *fmt, ...) _printf_(2, 3);
/* Adds `text` as a JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void strbuf_put_json(struct strbuf *buf, const char *text);
/* As strbuf_put_json, of `length` bytes, which may hold NULs; one more NUL follows behind their end. */
void strbuf_put_json_bytes(struct strbuf *buf, const char *text, size_t length);
/* Adds `text` so that a POSIX shell reads it back as one word. */
void strbuf_put_shell(struct strbuf *buf, const char *text);
/* Adds `text` with control bytes (C0, DEL, C1) as \xNN: safe to show on a terminal. */
void strbuf_put_printable(struct strbuf *buf, const char *text);
/* Whether all of it is UTF-8 (RFC 3629) without NUL; a NUL follows behind its end. */
bool str_is_utf8(const char *text, size_t length);
/* Hands the text over (an empty string if nothing was added); the caller frees it. */
char *strbuf_take(struct strbuf *buf);

/* A growing list of strings that it owns. items[count] is NULL once anything was added. */
struct strv {
	char **items;
	size_t count;
	size_t capacity;
};

#define STRV_INIT { 0 }

void strv_done(struct strv *list);
void strv_add(struct strv *list, const char *text);
/* Adds a string of the heap and takes its ownership. */
void strv_take(struct strv *list, char *text);
bool strv_contains(const struct strv *list, const char *text);

bool str_equal(const char *a, const char *b);
bool str_starts_with(const char *text, const char *prefix);
bool str_ends_with(const char *text, const char *suffix);

/*
 * Parses all of `text` as a decimal number, digits only, within [min, max].
 * Returns 0, -EINVAL (not a number) or -ERANGE; *ret_value is untouched on failure.
 */
int str_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
/*
 * Parses a duration, "500ms", "5s", "2m", "1h", "1d" or bare seconds ("5"), with
 * decimals ("1.5s"), to milliseconds. Zero, and more than 365 days, is -ERANGE.
 */
int str_parse_duration_ms(const char *text, uint64_t *ret_ms);
/* Parses a size in bytes, "512", "64k", "10M", "2G" (powers of 1024, an optional "iB" or "B"). */
int str_parse_size(const char *text, uint64_t *ret_bytes);
/*
 * Returns the item of `words` that is nearest to `text` by edit distance, for "did
 * you mean", or NULL if none is near. `words` ends with NULL.
 */
const char *str_nearest(const char *text, const char *const *words);

#endif
