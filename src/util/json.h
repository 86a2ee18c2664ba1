/*
 * JSON (RFC 8259): parsing with limits, typed reading that names the place of what is wrong, and
 * writing. The one place that knows the library behind it (jansson).
 *
 * A value is owned by whoever parsed or made it, until json_free, json_set or json_append takes
 * it. Members of an object keep their order; no two have the same name. Strings are UTF-8 without
 * NUL.
 */
#ifndef PORTA_UTIL_JSON_H
#define PORTA_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/strings.h"

/* No limit may be above this: reading and writing recurse as deep as the value is. */
#define JSON_DEPTH_MAX 512

struct json_limits {
	size_t bytes_max;
	unsigned int depth_max; /* arrays and objects inside one another; at most JSON_DEPTH_MAX */
};

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INTEGER, /* written without fraction and exponent; int64_t */
	JSON_KIND_REAL,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
	JSON_KIND_COUNT,
};

/* Of the library; known by its address alone. */
typedef struct json_t json_value;

/*
 * Parses `length` bytes as one value of any kind. -EINVAL: not JSON, with line and column; a member
 * that an object has twice, a NUL in a string, a number that int64_t or double cannot hold count as
 * that. -E2BIG: longer or deeper than the limits say, found before anything is built.
 */
int json_parse(const char *text, size_t length, const struct json_limits *limits,
	       json_value **ret_value, struct error *err);
void json_free(json_value *value);

static inline void
cleanup_json(json_value **value)
{
	json_free(*value);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

/* A value and the way to it, for messages; lives no longer than its parent and the value's owner.
 */
struct json_place {
	const json_value *value;
	const struct json_place *parent; /* NULL: the whole text */
	const char *name;		 /* as a member of an object, else NULL */
	size_t index;			 /* as an item of an array */
};

#define JSON_PLACE_OF(root)                                                                        \
	{                                                                                          \
		.value = (root)                                                                    \
	}

enum json_kind json_kind_of(const struct json_place *place);
/* "a string", "an object". */
const char *json_kind_name(enum json_kind kind);
/* The member `name` of an object; false where there is none, or `object` is no object. */
bool json_member(const struct json_place *object, const char *name, struct json_place *ret_member);
/* Goes through the members in their order: *member starts as { 0 }; false behind the last. */
bool json_next_member(const struct json_place *object, struct json_place *member);
/* Items of an array, members of an object; 0 for all else. */
size_t json_count(const struct json_place *place);
/* `index` is below json_count of the array. */
void json_item(const struct json_place *array, size_t index, struct json_place *ret_item);

/* 0, or -EINVAL with the place: "at /tools/0/name: a number where a string belongs". */
int json_expect(const struct json_place *place, enum json_kind kind, struct error *err);
/* json_expect, and the value. The string is the value's own, NUL-terminated. */
int json_get_string(const struct json_place *place, const char **ret_text, struct error *err);
int json_get_bool(const struct json_place *place, bool *ret_value, struct error *err);
/* An integer or a real. */
int json_get_number(const struct json_place *place, double *ret_value, struct error *err);
/* -ERANGE where it is not within [min, max]. */
int json_get_integer(const struct json_place *place, int64_t min, int64_t max, int64_t *ret_value,
		     struct error *err);
/* The place as a JSON pointer (RFC 6901), fit to be shown: "/tools/0/name"; "" for the whole. */
void json_put_pointer(struct strbuf *out, const struct json_place *place);
/* Sets "at PLACE: " and the sentence; returns `code`. */
int json_error_at(struct error *err, int code, const struct json_place *place, const char *fmt, ...)
    _printf_(4, 5);

json_value *json_new_object(void);
json_value *json_new_array(void);
/* What is not UTF-8 becomes U+FFFD. */
json_value *json_new_string(const char *text);
/* As json_new_string, of `length` bytes, which may hold NULs; one more NUL follows behind their end. */
json_value *json_new_text(const char *text, size_t length);
json_value *json_new_integer(int64_t value);
json_value *json_new_bool(bool value);
json_value *json_new_null(void);
/* One more owner of the same value, which json_free gives up; for values that nobody changes any
 * more. */
json_value *json_share(const json_value *value);
/* Sets a member, or replaces it where it is; takes `value`. `name` is UTF-8. */
void json_set(json_value *object, const char *name, json_value *value);
/* Removes a member; none is no error. */
void json_remove(json_value *object, const char *name);
/* Takes `value`. */
void json_append(json_value *array, json_value *value);

enum json_style {
	JSON_STYLE_COMPACT,  /* on one line, without blanks */
	JSON_STYLE_INDENTED, /* two blanks a level; no newline at the end */
	JSON_STYLE_SORTED,   /* as COMPACT, members by name: the same text for what is equal */
};

/* Whether both are the same value, members in whatever order; 1 and 1.0 are not. */
bool json_is_same(const json_value *a, const json_value *b);

/* Numbers are written in the shortest form that reads as the same number. */
void json_write(struct strbuf *out, const json_value *value, enum json_style style);

#endif
