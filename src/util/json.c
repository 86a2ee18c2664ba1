/* JSON over jansson; see json.h. */
#include "util/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "util/mem.h"

/* The most bytes of a member's name that a place shows. */
#define NAME_SHOWN_MAX_BYTES 64

static_assert(JSON_DEPTH_MAX < JSON_PARSER_MAX_DEPTH, "the library goes as deep");

static void *
allocate(size_t bytes)
{
	return mem_zalloc(bytes > 0 ? bytes : 1, 1);
}

/* With memory that is never NULL, the library's constructors never fail. */
static void
set_up(void)
{
	json_set_alloc_funcs(allocate, free);
}

/* Brackets outside of strings. Whether they match is the parser's business. */
static bool
is_deeper(const char *text, size_t length, unsigned int depth_max)
{
	unsigned int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '[' || text[i] == '{') && ++depth > depth_max)
			return true;
		else if (!in_string && (text[i] == ']' || text[i] == '}') && depth > 0)
			depth--;
	}
	return false;
}

int
json_parse(const char *text, size_t length, const struct json_limits *limits,
	   json_value **ret_value, struct error *err)
{
	json_error_t place;
	json_t *value;
	struct strbuf shown = STRBUF_INIT;
	_cleanup_free_ char *why = NULL;

	assert(limits->depth_max <= JSON_DEPTH_MAX);
	if (length > limits->bytes_max)
		return error_set(err, -E2BIG, "more than %zu bytes of JSON", limits->bytes_max);
	if (is_deeper(text, length, limits->depth_max))
		return error_set(err, -E2BIG, "JSON more than %u levels deep", limits->depth_max);
	set_up();
	value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &place);
	if (value != NULL) {
		*ret_value = value;
		return 0;
	}
	strbuf_put_printable(&shown, place.text);
	why = strbuf_take(&shown);
	return error_set(err, -EINVAL, "not JSON: line %d, column %d: %s", place.line, place.column,
			 why);
}

void
json_free(json_value *value)
{
	json_decref(value);
}

enum json_kind
json_kind_of(const struct json_place *place)
{
	switch (json_typeof(place->value)) {
	case JSON_OBJECT:
		return JSON_KIND_OBJECT;
	case JSON_ARRAY:
		return JSON_KIND_ARRAY;
	case JSON_STRING:
		return JSON_KIND_STRING;
	case JSON_INTEGER:
		return JSON_KIND_INTEGER;
	case JSON_REAL:
		return JSON_KIND_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_KIND_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_KIND_NULL;
}

const char *
json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_KIND_NULL] = "null",	    [JSON_KIND_BOOL] = "true or false",
		[JSON_KIND_INTEGER] = "an integer", [JSON_KIND_REAL] = "a number with a fraction",
		[JSON_KIND_STRING] = "a string",    [JSON_KIND_ARRAY] = "an array",
		[JSON_KIND_OBJECT] = "an object",
	};

	static_assert(ARRAY_SIZE(names) == JSON_KIND_COUNT, "a name for each kind");
	return names[kind];
}

bool
json_member(const struct json_place *object, const char *name, struct json_place *ret_member)
{
	const json_t *value = json_object_get(object->value, name);

	if (value == NULL)
		return false;
	*ret_member = (struct json_place){ .value = value, .parent = object, .name = name };
	return true;
}

bool
json_next_member(const struct json_place *object, struct json_place *member)
{
	/* Iterating changes nothing, whatever the library's type says. */
	json_t *value = (json_t *)object->value;
	void *at = member->name == NULL
		       ? json_object_iter(value)
		       : json_object_iter_next(value, json_object_key_to_iter(member->name));

	if (at == NULL)
		return false;
	*member = (struct json_place){ .value = json_object_iter_value(at),
				       .parent = object,
				       .name = json_object_iter_key(at) };
	return true;
}

size_t
json_count(const struct json_place *place)
{
	return json_is_array(place->value) ? json_array_size(place->value)
					   : json_object_size(place->value);
}

void
json_item(const struct json_place *array, size_t index, struct json_place *ret_item)
{
	*ret_item = (struct json_place){ .value = json_array_get(array->value, index),
					 .parent = array,
					 .index = index };
	assert(ret_item->value != NULL);
}

/* A member's name as a token of a pointer, cut to a length, without control bytes. */
static void
put_token(struct strbuf *out, const char *name)
{
	struct strbuf token = STRBUF_INIT;
	size_t length = strlen(name);
	bool is_cut = length > NAME_SHOWN_MAX_BYTES;
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < (is_cut ? NAME_SHOWN_MAX_BYTES : length); i++) {
		if (name[i] == '~' || name[i] == '/')
			strbuf_puts(&token, name[i] == '~' ? "~0" : "~1");
		else
			strbuf_putc(&token, name[i]);
	}
	text = strbuf_take(&token);
	strbuf_put_printable(out, text);
	strbuf_puts(out, is_cut ? "..." : "");
}

void
json_put_pointer(struct strbuf *out, const struct json_place *place)
{
	if (place->parent == NULL)
		return;
	json_put_pointer(out, place->parent);
	strbuf_putc(out, '/');
	if (place->name != NULL)
		put_token(out, place->name);
	else
		strbuf_printf(out, "%zu", place->index);
}

int
json_error_at(struct error *err, int code, const struct json_place *place, const char *fmt, ...)
{
	struct strbuf buf = STRBUF_INIT;
	_cleanup_free_ char *pointer = NULL;
	va_list args;

	json_put_pointer(&buf, place);
	pointer = strbuf_take(&buf);
	va_start(args, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	return error_wrap(err, code, "at %s", *pointer != '\0' ? pointer : "the top");
}

int
json_expect(const struct json_place *place, enum json_kind kind, struct error *err)
{
	enum json_kind found = json_kind_of(place);

	if (found == kind)
		return 0;
	return json_error_at(err, -EINVAL, place, "%s where %s belongs", json_kind_name(found),
			     json_kind_name(kind));
}

int
json_get_string(const struct json_place *place, const char **ret_text, struct error *err)
{
	int r = json_expect(place, JSON_KIND_STRING, err);

	if (r == 0)
		*ret_text = json_string_value(place->value);
	return r;
}

int
json_get_bool(const struct json_place *place, bool *ret_value, struct error *err)
{
	int r = json_expect(place, JSON_KIND_BOOL, err);

	if (r == 0)
		*ret_value = json_is_true(place->value);
	return r;
}

int
json_get_number(const struct json_place *place, double *ret_value, struct error *err)
{
	if (json_kind_of(place) == JSON_KIND_INTEGER) {
		*ret_value = (double)json_integer_value(place->value);
		return 0;
	}
	if (json_kind_of(place) == JSON_KIND_REAL) {
		*ret_value = json_real_value(place->value);
		return 0;
	}
	return json_error_at(err, -EINVAL, place, "%s where a number belongs",
			     json_kind_name(json_kind_of(place)));
}

int
json_get_integer(const struct json_place *place, int64_t min, int64_t max, int64_t *ret_value,
		 struct error *err)
{
	int r = json_expect(place, JSON_KIND_INTEGER, err);
	int64_t value = r == 0 ? json_integer_value(place->value) : 0;

	if (r < 0)
		return r;
	if (value < min || value > max)
		return json_error_at(err, -ERANGE, place,
				     "%" PRId64 " is not between %" PRId64 " and %" PRId64, value,
				     min, max);
	*ret_value = value;
	return 0;
}

json_value *
json_new_object(void)
{
	set_up();
	return json_object();
}

json_value *
json_new_array(void)
{
	set_up();
	return json_array();
}

json_value *
json_new_string(const char *text)
{
	return json_new_text(text, strlen(text));
}

json_value *
json_new_text(const char *text, size_t length)
{
	struct strbuf quoted = STRBUF_INIT;
	json_t *value;

	set_up();
	value = json_stringn(text, length);
	if (value != NULL)
		return value;
	/* Not UTF-8: writing it as JSON puts that right. */
	strbuf_put_json_bytes(&quoted, text, length);
	value = json_loadb(quoted.text, quoted.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	strbuf_done(&quoted);
	assert(value != NULL);
	return value;
}

json_value *
json_new_integer(int64_t value)
{
	set_up();
	return json_integer(value);
}

json_value *
json_new_bool(bool value)
{
	return json_boolean(value);
}

json_value *
json_new_null(void)
{
	set_up();
	return json_null();
}

json_value *
json_share(const json_value *value)
{
	return json_incref((json_t *)value);
}

void
json_set(json_value *object, const char *name, json_value *value)
{
	int r = json_object_set_new(object, name, value);

	assert(r == 0);
	(void)r;
}

void
json_remove(json_value *object, const char *name)
{
	json_object_del(object, name);
}

void
json_append(json_value *array, json_value *value)
{
	int r = json_array_append_new(array, value);

	assert(r == 0);
	(void)r;
}

static void
put_real(struct strbuf *out, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_puts(out, text);
	/* It stays what it was: a number with a fraction. */
	if (strpbrk(text, ".e") == NULL)
		strbuf_puts(out, ".0");
}

static void
put_line(struct strbuf *out, unsigned int level, enum json_style style)
{
	if (style == JSON_STYLE_INDENTED)
		strbuf_printf(out, "\n%*s", (int)(2 * level), "");
}

static void put_value(struct strbuf *out, const struct json_place *place, unsigned int level,
		      enum json_style style);

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct json_place *)a)->name, ((const struct json_place *)b)->name);
}

static void
put_sorted(struct strbuf *out, const struct json_place *object)
{
	size_t count = json_count(object);
	_cleanup_free_ struct json_place *members = mem_zalloc(count + 1, sizeof(*members));
	struct json_place member = { 0 };

	for (size_t i = 0; json_next_member(object, &member); i++)
		members[i] = member;
	qsort(members, count, sizeof(*members), compare_names);
	strbuf_putc(out, '{');
	for (size_t i = 0; i < count; i++) {
		strbuf_puts(out, i > 0 ? "," : "");
		strbuf_put_json(out, members[i].name);
		strbuf_putc(out, ':');
		put_value(out, &members[i], 0, JSON_STYLE_SORTED);
	}
	strbuf_putc(out, '}');
}

static void
put_members(struct strbuf *out, const struct json_place *object, unsigned int level,
	    enum json_style style)
{
	struct json_place member = { 0 };
	const char *separator = "";

	strbuf_putc(out, '{');
	while (json_next_member(object, &member)) {
		strbuf_puts(out, separator);
		put_line(out, level + 1, style);
		strbuf_put_json(out, member.name);
		strbuf_puts(out, style == JSON_STYLE_INDENTED ? ": " : ":");
		put_value(out, &member, level + 1, style);
		separator = ",";
	}
	if (json_count(object) > 0)
		put_line(out, level, style);
	strbuf_putc(out, '}');
}

static void
put_items(struct strbuf *out, const struct json_place *array, unsigned int level,
	  enum json_style style)
{
	strbuf_putc(out, '[');
	for (size_t i = 0; i < json_count(array); i++) {
		struct json_place item;

		json_item(array, i, &item);
		strbuf_puts(out, i > 0 ? "," : "");
		put_line(out, level + 1, style);
		put_value(out, &item, level + 1, style);
	}
	if (json_count(array) > 0)
		put_line(out, level, style);
	strbuf_putc(out, ']');
}

static void
put_value(struct strbuf *out, const struct json_place *place, unsigned int level,
	  enum json_style style)
{
	switch (json_kind_of(place)) {
	case JSON_KIND_OBJECT:
		if (style == JSON_STYLE_SORTED)
			put_sorted(out, place);
		else
			put_members(out, place, level, style);
		break;
	case JSON_KIND_ARRAY:
		put_items(out, place, level, style);
		break;
	case JSON_KIND_STRING:
		strbuf_put_json_bytes(out, json_string_value(place->value),
				      json_string_length(place->value));
		break;
	case JSON_KIND_INTEGER:
		strbuf_printf(out, "%" PRId64, (int64_t)json_integer_value(place->value));
		break;
	case JSON_KIND_REAL:
		put_real(out, json_real_value(place->value));
		break;
	case JSON_KIND_BOOL:
		strbuf_puts(out, json_is_true(place->value) ? "true" : "false");
		break;
	case JSON_KIND_NULL:
	case JSON_KIND_COUNT:
		strbuf_puts(out, "null");
		break;
	}
}

void
json_write(struct strbuf *out, const json_value *value, enum json_style style)
{
	struct json_place root = JSON_PLACE_OF(value);

	put_value(out, &root, 0, style);
}

bool
json_is_same(const json_value *a, const json_value *b)
{
	return json_equal(a, b) == 1;
}
