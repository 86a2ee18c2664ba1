/* Reading agent.manifest.json; see manifest.h. */
#include "config/manifest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "util/fd.h"
#include "util/mem.h"

enum field_form {
	FIELD_STRING,
	FIELD_BOOL,
	FIELD_OBJECT,  /* of any content */
	FIELD_STRINGS, /* a list of strings */
	FIELD_RECORD,  /* an object of known fields */
	FIELD_RECORDS, /* a list of them */
	FIELD_CHECKED, /* what `check` takes */
};

struct field {
	const char *name;
	enum field_form form;
	bool required;
	bool is_key;		     /* no two records of a list have the same */
	const struct field *members; /* of RECORD and RECORDS; ends with a NULL name */
	int (*check)(const struct json_place *place,
		     struct error *err); /* of each string, each object */
};

static int
check_not_empty(const struct json_place *place, struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(place, &text, err);

	if (r == 0 && *text == '\0')
		return json_error_at(err, -EINVAL, place, "it is empty");
	return r;
}

static int
check_capability(const struct json_place *place, struct error *err)
{
	capability_set set;
	const char *text = NULL;
	int r = json_get_string(place, &text, err);

	if (r == 0 && strchr(text, ',') != NULL)
		return json_error_at(err, -EINVAL, place, "one capability is one string");
	if (r == 0 && capability_parse_list(text, &set, err) < 0) {
		struct strbuf buf = STRBUF_INIT;
		_cleanup_free_ char *shown = NULL;

		strbuf_put_printable(&buf, err->message);
		shown = strbuf_take(&buf);
		return json_error_at(err, -EINVAL, place, "%s", shown);
	}
	return r;
}

static bool
is_plain_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > MANIFEST_TOOL_NAME_MAX_BYTES)
		return false;
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && strchr("_-.", *name) == NULL)
			return false;
	}
	return true;
}

static int
check_tool_name(const struct json_place *place, struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(place, &text, err);

	if (r < 0)
		return r;
	if (!is_plain_name(text))
		return json_error_at(
		    err, -EINVAL, place,
		    "a tool's name has 1 to %d letters, digits, \"_\", \"-\" and \".\"",
		    MANIFEST_TOOL_NAME_MAX_BYTES);
	if (*text == '_')
		return json_error_at(err, -EINVAL, place,
				     "a name that begins with \"_\" is never callable");
	if (str_starts_with(text, "porta."))
		return json_error_at(err, -EINVAL, place,
				     "names that begin with \"porta.\" are porta's");
	return 0;
}

/* MCP: the schema of a tool's arguments is one of an object. */
static int
check_input_schema(const struct json_place *place, struct error *err)
{
	struct json_place type;
	const char *text = NULL;
	int r;

	if (!json_member(place, "type", &type))
		return 0;
	r = json_get_string(&type, &text, err);
	if (r == 0 && !str_equal(text, "object"))
		return json_error_at(err, -EINVAL, &type,
				     "a tool's arguments are an object, so this is \"object\"");
	return r;
}

static int
check_schema_version(const struct json_place *place, struct error *err)
{
	const char *text = NULL;
	int64_t number;

	if (json_kind_of(place) == JSON_KIND_INTEGER)
		return json_get_integer(place, 1, 1, &number, err);
	if (json_get_string(place, &text, err) < 0)
		return -EINVAL;
	if (!str_equal(text, "1") && !str_starts_with(text, "1."))
		return json_error_at(err, -EINVAL, place, "this porta reads version \"1.0\" only");
	return 0;
}

static int
check_one_of(const struct json_place *place, const char *const *words, size_t count,
	     struct error *err)
{
	struct strbuf known = STRBUF_INIT;
	_cleanup_free_ char *shown = NULL;
	const char *text = NULL;
	int r = json_get_string(place, &text, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (str_equal(text, words[i]))
			return 0;
		strbuf_printf(&known, "%s\"%s\"", i > 0 ? " or " : "", words[i]);
	}
	shown = strbuf_take(&known);
	return r < 0 ? r : json_error_at(err, -EINVAL, place, "this is %s", shown);
}

static int
check_role(const struct json_place *place, struct error *err)
{
	static const char *const roles[] = { "user", "assistant" };

	return check_one_of(place, roles, ARRAY_SIZE(roles), err);
}

static int
check_theme(const struct json_place *place, struct error *err)
{
	static const char *const themes[] = { "light", "dark" };

	return check_one_of(place, themes, ARRAY_SIZE(themes), err);
}

static int
check_priority(const struct json_place *place, struct error *err)
{
	double number = 0;
	int r = json_get_number(place, &number, err);

	if (r == 0 && (number < 0 || number > 1))
		return json_error_at(err, -ERANGE, place, "a priority is between 0 and 1");
	return r;
}

static int
check_size(const struct json_place *place, struct error *err)
{
	int64_t bytes;

	return json_get_integer(place, 0, INT64_MAX, &bytes, err);
}

/* MCP 2025-11-25, icons: clients take no others, and a script is none. */
static int
check_icon_uri(const struct json_place *place, struct error *err)
{
	static const char *const schemes[] = { "https:", "http:", "data:" };
	const char *text = NULL;
	int r = json_get_string(place, &text, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(schemes); i++) {
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return 0;
	}
	return r < 0 ? r : json_error_at(err, -EINVAL, place,
					 "an icon is at an https: or http: address, or a data: URI");
}

static int
check_website(const struct json_place *place, struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(place, &text, err);

	if (r == 0 && strncasecmp(text, "https://", 8) != 0 && strncasecmp(text, "http://", 7) != 0)
		return json_error_at(err, -EINVAL, place, "a website is at an https:// or http:// address");
	return r;
}

static const struct field icon_fields[] = {
	{ .name = "src", .required = true, .check = check_icon_uri },
	{ .name = "mimeType" },
	{ .name = "sizes", .form = FIELD_STRINGS },
	{ .name = "theme", .check = check_theme },
	{ 0 },
};

/* Of tools: ToolAnnotations of MCP. */
static const struct field hint_fields[] = {
	{ .name = "title" },
	{ .name = "readOnlyHint", .form = FIELD_BOOL },
	{ .name = "destructiveHint", .form = FIELD_BOOL },
	{ .name = "idempotentHint", .form = FIELD_BOOL },
	{ .name = "openWorldHint", .form = FIELD_BOOL },
	{ 0 },
};

/* Of resources: Annotations of MCP. */
static const struct field annotation_fields[] = {
	{ .name = "audience", .form = FIELD_STRINGS, .check = check_role },
	{ .name = "priority", .form = FIELD_CHECKED, .check = check_priority },
	{ .name = "lastModified" },
	{ 0 },
};

/* What each item that is listed may have for people. */
#define FIELDS_FOR_PEOPLE                                                                          \
	{ .name = "title" }, { .name = "description" },                                            \
	    { .name = "icons", .form = FIELD_RECORDS, .members = icon_fields },                    \
	    { .name = "_meta", .form = FIELD_OBJECT }

static const struct field tool_fields[] = {
	{ .name = "name", .required = true, .is_key = true, .check = check_tool_name },
	FIELDS_FOR_PEOPLE,
	{ .name = "inputSchema", .form = FIELD_OBJECT, .check = check_input_schema },
	{ .name = "outputSchema", .form = FIELD_OBJECT },
	{ .name = "annotations", .form = FIELD_RECORD, .members = hint_fields },
	{ 0 },
};

static const struct field resource_fields[] = {
	{ .name = "uri", .required = true, .is_key = true, .check = check_not_empty },
	{ .name = "name", .required = true, .check = check_not_empty },
	FIELDS_FOR_PEOPLE,
	{ .name = "mimeType" },
	{ .name = "size", .form = FIELD_CHECKED, .check = check_size },
	{ .name = "annotations", .form = FIELD_RECORD, .members = annotation_fields },
	{ 0 },
};

static const struct field template_fields[] = {
	{ .name = "uriTemplate", .required = true, .is_key = true, .check = check_not_empty },
	{ .name = "name", .required = true, .check = check_not_empty },
	FIELDS_FOR_PEOPLE,
	{ .name = "mimeType" },
	{ .name = "annotations", .form = FIELD_RECORD, .members = annotation_fields },
	{ 0 },
};

static const struct field argument_fields[] = {
	{ .name = "name", .required = true, .is_key = true, .check = check_not_empty },
	{ .name = "title" },
	{ .name = "description" },
	{ .name = "required", .form = FIELD_BOOL },
	{ 0 },
};

static const struct field prompt_fields[] = {
	{ .name = "name", .required = true, .is_key = true, .check = check_not_empty },
	FIELDS_FOR_PEOPLE,
	{ .name = "arguments", .form = FIELD_RECORDS, .members = argument_fields },
	{ 0 },
};

static const struct field manifest_fields[] = {
	/* A string, or a number as people write it. */
	{ .name = "schema_version", .form = FIELD_CHECKED, .check = check_schema_version },
	{ .name = "name", .check = check_not_empty },
	{ .name = "title" },
	{ .name = "version" },
	{ .name = "description" },
	{ .name = "websiteUrl", .check = check_website },
	{ .name = "icons", .form = FIELD_RECORDS, .members = icon_fields },
	{ .name = "entry", .check = check_not_empty },
	{ .name = "capabilities", .form = FIELD_STRINGS, .check = check_capability },
	{ .name = "wasi_imports", .form = FIELD_STRINGS },
	{ .name = "tools", .form = FIELD_RECORDS, .members = tool_fields },
	{ .name = "resources", .form = FIELD_RECORDS, .members = resource_fields },
	{ .name = "resourceTemplates", .form = FIELD_RECORDS, .members = template_fields },
	{ .name = "prompts", .form = FIELD_RECORDS, .members = prompt_fields },
	{ 0 },
};

static void
warn_unknown(const struct json_place *member, const struct field *fields, struct strv *warnings)
{
	const char *names[ARRAY_SIZE(manifest_fields)] = { NULL };
	struct strbuf out = STRBUF_INIT;
	const char *nearest;

	if (warnings->count > MANIFEST_WARNINGS_MAX)
		return;
	if (warnings->count == MANIFEST_WARNINGS_MAX) {
		strv_add(warnings, "there are more fields that are not known");
		return;
	}
	for (size_t i = 0; fields[i].name != NULL; i++)
		names[i] = fields[i].name;
	nearest = str_nearest(member->name, names);
	strbuf_puts(&out, "the field ");
	json_put_pointer(&out, member);
	strbuf_puts(&out, " is not known, and has no effect");
	if (nearest != NULL)
		strbuf_printf(&out, " (did you mean %s?)", nearest);
	strv_take(warnings, strbuf_take(&out));
}

static int check_record(const struct json_place *record, const struct field *fields,
			struct strv *warnings, struct error *err);

/* That no record before `index` has the same key. */
static int
check_key(const struct json_place *list, size_t index, const struct field *key, struct error *err)
{
	struct json_place record, place;
	const char *text = NULL;

	json_item(list, index, &record);
	if (!json_member(&record, key->name, &place) || json_get_string(&place, &text, err) < 0)
		return 0;
	for (size_t i = 0; i < index; i++) {
		struct json_place other_record, other;
		const char *other_text = NULL;

		json_item(list, i, &other_record);
		if (json_member(&other_record, key->name, &other) &&
		    json_get_string(&other, &other_text, err) == 0 && str_equal(text, other_text))
			return json_error_at(err, -EINVAL, &place, "item %zu has the same %s", i,
					     key->name);
	}
	return 0;
}

static int
check_list(const struct json_place *list, const struct field *field, struct strv *warnings,
	   struct error *err)
{
	int r = json_expect(list, JSON_KIND_ARRAY, err);

	if (r == 0 && json_count(list) > MANIFEST_ITEMS_MAX)
		return json_error_at(err, -E2BIG, list, "more than %d items", MANIFEST_ITEMS_MAX);
	for (size_t i = 0; r == 0 && i < json_count(list); i++) {
		struct json_place item;

		json_item(list, i, &item);
		if (field->form == FIELD_RECORDS)
			r = check_record(&item, field->members, warnings, err);
		else
			r = json_expect(&item, JSON_KIND_STRING, err);
		if (r == 0 && field->form == FIELD_STRINGS && field->check != NULL)
			r = field->check(&item, err);
		for (const struct field *key = field->members;
		     r == 0 && key != NULL && key->name != NULL; key++)
			r = key->is_key ? check_key(list, i, key, err) : 0;
	}
	return r;
}

static int
check_field(const struct json_place *place, const struct field *field, struct strv *warnings,
	    struct error *err)
{
	int r = 0;

	switch (field->form) {
	case FIELD_STRING:
		r = json_expect(place, JSON_KIND_STRING, err);
		break;
	case FIELD_BOOL:
		r = json_expect(place, JSON_KIND_BOOL, err);
		break;
	case FIELD_OBJECT:
		r = json_expect(place, JSON_KIND_OBJECT, err);
		break;
	case FIELD_RECORD:
		return check_record(place, field->members, warnings, err);
	case FIELD_STRINGS:
	case FIELD_RECORDS:
		return check_list(place, field, warnings, err);
	case FIELD_CHECKED:
		break;
	}
	return r == 0 && field->check != NULL ? field->check(place, err) : r;
}

static int
check_record(const struct json_place *record, const struct field *fields, struct strv *warnings,
	     struct error *err)
{
	struct json_place member = { 0 };
	int r = json_expect(record, JSON_KIND_OBJECT, err);

	for (const struct field *field = fields; r == 0 && field->name != NULL; field++) {
		if (field->required && !json_member(record, field->name, &member))
			return json_error_at(err, -EINVAL, record, "the field \"%s\" is missing",
					     field->name);
	}
	member = (struct json_place){ 0 };
	while (r == 0 && json_next_member(record, &member)) {
		const struct field *field = fields;

		while (field->name != NULL && !str_equal(field->name, member.name))
			field++;
		if (field->name == NULL)
			warn_unknown(&member, fields, warnings);
		else
			r = check_field(&member, field, warnings, err);
	}
	return r;
}

/*
 * From here on all has been checked: each member is missing, or what the tables say.
 */
static const char *
text_of(const struct json_place *record, const char *name, const char *missing)
{
	struct json_place place;
	struct error err;
	const char *text = missing;

	if (json_member(record, name, &place))
		json_get_string(&place, &text, &err);
	return text;
}

static const json_value *
value_of(const struct json_place *record, const char *name)
{
	struct json_place place;

	return json_member(record, name, &place) ? place.value : NULL;
}

static size_t
list_of(const struct json_place *record, const char *name, struct json_place *ret_list)
{
	return json_member(record, name, ret_list) ? json_count(ret_list) : 0;
}

static void
read_capabilities(struct manifest *manifest, const struct json_place *root)
{
	struct json_place list, item;
	size_t count = list_of(root, "capabilities", &list);

	manifest->has_capabilities = value_of(root, "capabilities") != NULL;
	for (size_t i = 0; i < count; i++) {
		capability_set set = 0;
		struct error err;
		const char *text = "";

		json_item(&list, i, &item);
		json_get_string(&item, &text, &err);
		capability_parse_list(text, &set, &err);
		manifest->capabilities |= set;
	}
}

static void
read_tools(struct manifest *manifest, const struct json_place *root)
{
	struct json_place list, item;
	size_t count = list_of(root, "tools", &list);

	manifest->has_tools = value_of(root, "tools") != NULL;
	manifest->tools = mem_zalloc(count + 1, sizeof(*manifest->tools));
	manifest->tools_count = count;
	for (size_t i = 0; i < count; i++) {
		json_item(&list, i, &item);
		manifest->tools[i] = (struct manifest_tool){
			.name = text_of(&item, "name", NULL),
			.description = text_of(&item, "description", ""),
			.record = item.value,
		};
	}
}

static struct manifest_resource *
read_resources(const struct json_place *root, const char *name, const char *uri, size_t *ret_count)
{
	struct json_place list, item;
	size_t count = list_of(root, name, &list);
	struct manifest_resource *resources = mem_zalloc(count + 1, sizeof(*resources));

	for (size_t i = 0; i < count; i++) {
		json_item(&list, i, &item);
		resources[i] = (struct manifest_resource){
			.uri = text_of(&item, uri, NULL),
			.name = text_of(&item, "name", NULL),
			.description = text_of(&item, "description", ""),
			.mime_type = text_of(&item, "mimeType", NULL),
			.record = item.value,
		};
	}
	*ret_count = count;
	return resources;
}

static void
read_arguments(struct manifest_prompt *prompt, const struct json_place *place)
{
	struct json_place list, item, required;
	size_t count = list_of(place, "arguments", &list);

	prompt->arguments = mem_zalloc(count + 1, sizeof(*prompt->arguments));
	prompt->arguments_count = count;
	for (size_t i = 0; i < count; i++) {
		struct manifest_argument *argument = &prompt->arguments[i];
		struct error err;

		json_item(&list, i, &item);
		argument->name = text_of(&item, "name", NULL);
		argument->description = text_of(&item, "description", "");
		if (json_member(&item, "required", &required))
			json_get_bool(&required, &argument->required, &err);
	}
}

static void
read_prompts(struct manifest *manifest, const struct json_place *root)
{
	struct json_place list, item;
	size_t count = list_of(root, "prompts", &list);

	manifest->prompts = mem_zalloc(count + 1, sizeof(*manifest->prompts));
	manifest->prompts_count = count;
	for (size_t i = 0; i < count; i++) {
		json_item(&list, i, &item);
		manifest->prompts[i].name = text_of(&item, "name", NULL);
		manifest->prompts[i].description = text_of(&item, "description", "");
		manifest->prompts[i].record = item.value;
		read_arguments(&manifest->prompts[i], &item);
	}
}

void
manifest_init(struct manifest *manifest)
{
	*manifest = (struct manifest){ .version = "0.1.0", .description = "", .entry = "_start" };
}

void
manifest_done(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	for (size_t i = 0; i < manifest->prompts_count; i++)
		free(manifest->prompts[i].arguments);
	free(manifest->prompts);
	free(manifest->tools);
	free(manifest->resources);
	free(manifest->resource_templates);
	strv_done(&manifest->warnings);
	json_free(manifest->root);
	manifest_init(manifest);
}

int
manifest_parse(struct manifest *manifest, const char *text, size_t length, struct error *err)
{
	static const struct json_limits limits = { .bytes_max = MANIFEST_MAX_BYTES,
						   .depth_max = MANIFEST_DEPTH_MAX };
	_cleanup_json_ json_value *value = NULL;
	struct strv warnings = STRV_INIT;
	struct json_place root;
	int r;

	r = json_parse(text, length, &limits, &value, err);
	if (r < 0)
		return r;
	root = (struct json_place)JSON_PLACE_OF(value);
	r = check_record(&root, manifest_fields, &warnings, err);
	if (r < 0) {
		strv_done(&warnings);
		return r;
	}
	manifest_done(manifest);
	manifest->warnings = warnings;
	manifest->name = text_of(&root, "name", manifest->name);
	manifest->version = text_of(&root, "version", manifest->version);
	manifest->description = text_of(&root, "description", manifest->description);
	manifest->entry = text_of(&root, "entry", manifest->entry);
	read_capabilities(manifest, &root);
	read_tools(manifest, &root);
	manifest->resources = read_resources(&root, "resources", "uri", &manifest->resources_count);
	manifest->resource_templates = read_resources(&root, "resourceTemplates", "uriTemplate",
						      &manifest->resource_templates_count);
	read_prompts(manifest, &root);
	manifest->root = TAKE_PTR(value);
	return 0;
}

int
manifest_load(struct manifest *manifest, const char *path, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = fd_read_file_at(AT_FDCWD, path, MANIFEST_MAX_BYTES, &text, &length);

	if (r == -EFBIG)
		return error_set(err, r, "%s has more than %zu bytes", path, MANIFEST_MAX_BYTES);
	if (r < 0)
		return error_set_errno(err, r, "%s", path);
	r = manifest_parse(manifest, text, length, err);
	return r < 0 ? error_wrap(err, r, "%s", path) : 0;
}

char *
manifest_path_of(const char *module_path)
{
	size_t length = strlen(module_path);

	if (str_ends_with(module_path, ".wasm"))
		length -= strlen(".wasm");
	return mem_printf("%.*s.manifest.json", (int)length, module_path);
}

bool
manifest_is_tool_name(const char *name)
{
	static const char *const of_compilers[] = {
		"memory", "main",	   "malloc",	     "calloc",	     "realloc",
		"free",	  "aligned_alloc", "posix_memalign", "cabi_realloc",
	};

	for (size_t i = 0; i < ARRAY_SIZE(of_compilers); i++) {
		if (str_equal(name, of_compilers[i]))
			return false;
	}
	return is_plain_name(name) && *name != '_' && !str_starts_with(name, "porta.");
}
