/* Parameters in HTTP headers; see param_headers.h. */
#include "mcp/param_headers.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "http/base64.h"
#include "util/mem.h"

#define MARK		"x-mcp-header"
#define PREFIX		"Mcp-Param-"
#define NAME_BYTES_MAX	128
#define BASE64_PREFIX	"=?base64?"
#define BASE64_SUFFIX	"?="

struct search {
	struct catalog_header *headers;
	size_t count;
	size_t capacity;
	struct strv path; /* to where it is looked */
	struct error *err;
};

/* RFC 9110, section 5.6.2 */
static bool
is_token(const char *text)
{
	if (*text == '\0' || strlen(text) > NAME_BYTES_MAX)
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	}
	return true;
}

static bool
is_plain_type(const struct json_place *schema)
{
	static const char *const types[] = { "string", "integer", "boolean" };
	struct json_place type;
	struct error unused;
	const char *text;

	if (!json_member(schema, "type", &type) || json_get_string(&type, &text, &unused) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_equal(types[i], text))
			return true;
	}
	return false;
}

static int
add(struct search *search, const struct json_place *schema, const struct json_place *mark)
{
	struct catalog_header *header;
	_cleanup_free_ char *name = NULL;
	const char *text;

	if (json_get_string(mark, &text, search->err) < 0)
		return -EINVAL;
	if (!is_token(text))
		return json_error_at(search->err, -EINVAL, mark, "not a name of a header");
	if (!is_plain_type(schema))
		return json_error_at(search->err, -EINVAL, mark,
				     "only a string, integer or boolean can be in a header");
	name = mem_printf(PREFIX "%s", text);
	for (size_t i = 0; i < search->count; i++) {
		if (strcasecmp(search->headers[i].name, name) == 0)
			return json_error_at(search->err, -EINVAL, mark, "two have this name");
	}
	MEM_GROW(search->headers, search->capacity, search->count);
	header = &search->headers[search->count++];
	*header = (struct catalog_header){ .name = TAKE_PTR(name), .path = STRV_INIT };
	for (size_t i = 0; i < search->path.count; i++)
		strv_add(&header->path, search->path.items[i]);
	return 0;
}

static void
drop_last(struct strv *path)
{
	free(path->items[--path->count]);
	path->items[path->count] = NULL;
}

/* A mark where no property leads is an error, so that nobody relies on it. */
static int
look(struct search *search, const struct json_place *place, bool is_property)
{
	struct json_place member = { 0 };
	struct json_place mark;
	int r = 0;

	if (json_kind_of(place) == JSON_KIND_ARRAY) {
		for (size_t i = 0; r == 0 && i < json_count(place); i++) {
			struct json_place item;

			json_item(place, i, &item);
			r = look(search, &item, false);
		}
		return r;
	}
	if (json_kind_of(place) != JSON_KIND_OBJECT)
		return 0;
	if (json_member(place, MARK, &mark) && json_kind_of(&mark) != JSON_KIND_OBJECT) {
		if (!is_property || search->path.count == 0)
			return json_error_at(search->err, -EINVAL, &mark,
					     "only a property that properties lead to can be in a header");
		r = add(search, place, &mark);
	}
	while (r == 0 && json_next_member(place, &member)) {
		struct json_place property = { 0 };

		if (!is_property || !str_equal(member.name, "properties") ||
		    json_kind_of(&member) != JSON_KIND_OBJECT) {
			r = str_equal(member.name, MARK) ? 0 : look(search, &member, false);
			continue;
		}
		while (r == 0 && json_next_member(&member, &property)) {
			strv_add(&search->path, property.name);
			r = look(search, &property, true);
			drop_last(&search->path);
		}
	}
	return r;
}

int
param_headers_find(const json_value *schema, struct catalog_header **ret_headers, size_t *ret_count,
		   struct error *err)
{
	struct search search = { .path = STRV_INIT, .err = err };
	const struct json_place place = JSON_PLACE_OF(schema);
	int r = look(&search, &place, true);

	strv_done(&search.path);
	*ret_headers = search.headers;
	*ret_count = search.count;
	return r;
}

void
param_headers_done(struct catalog_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(headers[i].name);
		strv_done(&headers[i].path);
	}
	free(headers);
}

/* NULL where it is not Base64 as RFC 4648 writes it; the caller frees it. */
static char *
decode(const char *value, size_t *ret_length)
{
	size_t length = strlen(value) - strlen(BASE64_PREFIX) - strlen(BASE64_SUFFIX);
	_cleanup_free_ char *text = mem_strndup(value + strlen(BASE64_PREFIX), length);
	_cleanup_free_ char *again = NULL;
	char *bytes = NULL;

	if (base64_decode(text, &bytes, ret_length) < 0)
		return NULL;
	/* Only the one way to write it. */
	again = base64_encode(bytes, *ret_length);
	if (str_equal(again, text))
		return bytes;
	free(bytes);
	return NULL;
}

static bool
is_base64(const char *value)
{
	return strlen(value) >= strlen(BASE64_PREFIX) + strlen(BASE64_SUFFIX) &&
	       str_starts_with(value, BASE64_PREFIX) && str_ends_with(value, BASE64_SUFFIX);
}

bool
param_header_says(const char *value, const char *text)
{
	_cleanup_free_ char *bytes = NULL;
	size_t length;

	if (!is_base64(value))
		return str_equal(value, text);
	bytes = decode(value, &length);
	return bytes != NULL && length == strlen(text) && memcmp(bytes, text, length) == 0;
}

static bool
says_number(const char *value, double number)
{
	char *end;
	double said = strtod(value, &end);

	return *value != '\0' && *end == '\0' && isfinite(said) && said == number;
}

static bool
says(const char *value, const struct json_place *argument)
{
	struct error unused;
	const char *text;
	double number;
	bool is_true;

	switch (json_kind_of(argument)) {
	case JSON_KIND_STRING:
		return json_get_string(argument, &text, &unused) == 0 &&
		       param_header_says(value, text);
	case JSON_KIND_INTEGER:
	case JSON_KIND_REAL:
		return json_get_number(argument, &number, &unused) == 0 &&
		       says_number(value, number);
	case JSON_KIND_BOOL:
		return json_get_bool(argument, &is_true, &unused) == 0 &&
		       str_equal(value, is_true ? "true" : "false");
	default:
		return false;
	}
}

bool
param_header_matches(const struct catalog_header *header, const json_value *arguments,
		     const char *value, struct error *err)
{
	/* Each place points to the one before it. */
	_cleanup_free_ struct json_place *places =
	    mem_zalloc(header->path.count + 1, sizeof(*places));
	bool is_there = arguments != NULL;

	places[0] = (struct json_place)JSON_PLACE_OF(arguments);
	for (size_t i = 0; is_there && i < header->path.count; i++)
		is_there = json_kind_of(&places[i]) == JSON_KIND_OBJECT &&
			   json_member(&places[i], header->path.items[i], &places[i + 1]);
	if (is_there && json_kind_of(&places[header->path.count]) == JSON_KIND_NULL)
		is_there = false;
	if (!is_there) {
		if (value != NULL)
			error_set(err, -EINVAL, "the header %s is there, and its argument is not",
				  header->name);
		return value == NULL;
	}
	if (value == NULL) {
		error_set(err, -EINVAL, "the header %s is missing", header->name);
		return false;
	}
	if (says(value, &places[header->path.count]))
		return true;
	error_set(err, -EINVAL, "the header %s does not say what the arguments do", header->name);
	return false;
}
