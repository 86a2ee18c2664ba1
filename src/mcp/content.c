/* Content blocks; see content.h. */
#include "mcp/content.h"

#include <errno.h>
#include <string.h>

/* What a member of a block must be; the others are left out. */
struct content_member {
	const char *name;
	enum json_kind kind;
	bool required;
};

#define MEMBERS_MAX 10

struct content_form {
	const char *type;
	struct content_member members[MEMBERS_MAX];
};

static const struct content_form forms[] = {
	{ "text",
	  { { "text", JSON_KIND_STRING, true },
	    { "annotations", JSON_KIND_OBJECT, false },
	    { "_meta", JSON_KIND_OBJECT, false } } },
	{ "image",
	  { { "data", JSON_KIND_STRING, true },
	    { "mimeType", JSON_KIND_STRING, true },
	    { "annotations", JSON_KIND_OBJECT, false },
	    { "_meta", JSON_KIND_OBJECT, false } } },
	{ "audio",
	  { { "data", JSON_KIND_STRING, true },
	    { "mimeType", JSON_KIND_STRING, true },
	    { "annotations", JSON_KIND_OBJECT, false },
	    { "_meta", JSON_KIND_OBJECT, false } } },
	{ "resource",
	  { { "resource", JSON_KIND_OBJECT, true },
	    { "annotations", JSON_KIND_OBJECT, false },
	    { "_meta", JSON_KIND_OBJECT, false } } },
	{ "resource_link",
	  { { "uri", JSON_KIND_STRING, true },
	    { "name", JSON_KIND_STRING, true },
	    { "title", JSON_KIND_STRING, false },
	    { "description", JSON_KIND_STRING, false },
	    { "mimeType", JSON_KIND_STRING, false },
	    { "size", JSON_KIND_INTEGER, false },
	    { "annotations", JSON_KIND_OBJECT, false },
	    { "_meta", JSON_KIND_OBJECT, false } } },
};

static const struct content_member resource_members[MEMBERS_MAX] = {
	{ "uri", JSON_KIND_STRING, true },
	{ "mimeType", JSON_KIND_STRING, false },
	{ "text", JSON_KIND_STRING, false },
	{ "blob", JSON_KIND_STRING, false },
	{ "_meta", JSON_KIND_OBJECT, false },
};

/* RFC 4648, section 4: what the schemas call byte. */
static bool
is_base64(const char *text)
{
	size_t length = strlen(text);
	size_t end = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

	return length % 4 == 0 && length - end <= 2 && strspn(text + end, "=") == length - end;
}

static int
check_annotations(const struct json_place *annotations, struct error *err)
{
	struct json_place member, item;
	const char *text;
	double number;
	int r = 0;

	if (json_member(annotations, "audience", &member)) {
		r = json_expect(&member, JSON_KIND_ARRAY, err);
		for (size_t i = 0; r == 0 && i < json_count(&member); i++) {
			json_item(&member, i, &item);
			r = json_get_string(&item, &text, err);
			if (r == 0 && !str_equal(text, "user") && !str_equal(text, "assistant"))
				r = json_error_at(err, -EINVAL, &item, "neither user nor assistant");
		}
	}
	if (r == 0 && json_member(annotations, "priority", &member)) {
		r = json_get_number(&member, &number, err);
		if (r == 0 && (number < 0 || number > 1))
			r = json_error_at(err, -EINVAL, &member, "not between 0 and 1");
	}
	if (r == 0 && json_member(annotations, "lastModified", &member))
		r = json_get_string(&member, &text, err);
	return r;
}

static int
check_member(const struct json_place *member, struct error *err)
{
	const char *text;

	if (str_equal(member->name, "annotations"))
		return check_annotations(member, err);
	if (!str_equal(member->name, "data") && !str_equal(member->name, "blob"))
		return 0;
	if (json_get_string(member, &text, err) < 0)
		return -EINVAL;
	return is_base64(text) ? 0 : json_error_at(err, -EINVAL, member, "not Base64");
}

/* The members that the form knows, checked; in `object`. */
static int
take_members(const struct json_place *place, const struct content_member *members,
	     json_value *object, struct error *err)
{
	for (size_t i = 0; i < MEMBERS_MAX && members[i].name != NULL; i++) {
		struct json_place member;

		if (!json_member(place, members[i].name, &member)) {
			if (members[i].required)
				return json_error_at(err, -EINVAL, place, "the member %s is missing",
						     members[i].name);
			continue;
		}
		if (json_expect(&member, members[i].kind, err) < 0 || check_member(&member, err) < 0)
			return -EINVAL;
		json_set(object, members[i].name, json_share(member.value));
	}
	return 0;
}

json_value *
content_resource(const struct json_place *resource, struct error *err)
{
	struct json_place member;
	json_value *object;
	bool has_text, has_blob;

	if (json_expect(resource, JSON_KIND_OBJECT, err) < 0)
		return NULL;
	has_text = json_member(resource, "text", &member);
	has_blob = json_member(resource, "blob", &member);
	if (has_text == has_blob) {
		json_error_at(err, -EINVAL, resource, "a resource has either text or blob");
		return NULL;
	}
	object = json_new_object();
	if (take_members(resource, resource_members, object, err) == 0)
		return object;
	json_free(object);
	return NULL;
}

json_value *
content_text(const char *text, size_t length)
{
	json_value *block = json_new_object();

	json_set(block, "type", json_new_string("text"));
	json_set(block, "text", json_new_text(text, length));
	return block;
}

/* What the version has no block for, in words. Takes `block`. */
static json_value *
in_words(json_value *block)
{
	struct strbuf text = STRBUF_INIT;
	json_value *words;

	json_write(&text, block, JSON_STYLE_COMPACT);
	words = content_text(text.text, text.length);
	strbuf_done(&text);
	json_free(block);
	return words;
}

static const struct content_form *
find_form(const struct json_place *block, struct error *err)
{
	struct json_place type;
	const char *name;

	if (json_expect(block, JSON_KIND_OBJECT, err) < 0)
		return NULL;
	if (!json_member(block, "type", &type)) {
		json_error_at(err, -EINVAL, block, "the member type is missing");
		return NULL;
	}
	if (json_get_string(&type, &name, err) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (str_equal(forms[i].type, name))
			return &forms[i];
	}
	json_error_at(err, -EINVAL, &type, "there is no content of this type");
	return NULL;
}

json_value *
content_block(const struct json_place *block, enum mcp_version version, struct error *err)
{
	const struct content_form *form = find_form(block, err);
	struct json_place inner;
	json_value *copy;
	json_value *resource;

	if (form == NULL)
		return NULL;
	copy = json_new_object();
	json_set(copy, "type", json_new_string(form->type));
	if (take_members(block, form->members, copy, err) < 0) {
		json_free(copy);
		return NULL;
	}
	if (str_equal(form->type, "resource") && json_member(block, "resource", &inner)) {
		resource = content_resource(&inner, err);
		if (resource == NULL) {
			json_free(copy);
			return NULL;
		}
		json_set(copy, "resource", resource);
	}
	if ((str_equal(form->type, "audio") && !mcp_has_audio(version)) ||
	    (str_equal(form->type, "resource_link") && !mcp_has_structured(version)))
		return in_words(copy);
	return copy;
}

json_value *
content_list(const struct json_place *list, enum mcp_version version, struct error *err)
{
	json_value *copy;

	if (json_expect(list, JSON_KIND_ARRAY, err) < 0)
		return NULL;
	copy = json_new_array();
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_place item;
		json_value *block;

		json_item(list, i, &item);
		block = content_block(&item, version, err);
		if (block == NULL) {
			json_free(copy);
			return NULL;
		}
		json_append(copy, block);
	}
	return copy;
}
