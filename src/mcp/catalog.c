/* What a served agent offers; see catalog.h. */
#include "mcp/catalog.h"

#include <errno.h>
#include <porta_server.h>
#include <string.h>

#include "mcp/builtin.h"
#include "mcp/param_headers.h"
#include "util/mem.h"

#define SCHEMA_SENTENCE_BYTES 512

static json_value *
any_object(void)
{
	json_value *schema = json_new_object();

	json_set(schema, "type", json_new_string("object"));
	return schema;
}

static json_value *
define(const char *name, const char *description, const json_value *input, const json_value *output,
       const json_value *annotations)
{
	json_value *definition = json_new_object();

	json_set(definition, "name", json_new_string(name));
	if (*description != '\0')
		json_set(definition, "description", json_new_string(description));
	json_set(definition, "inputSchema", input == NULL ? any_object() : json_share(input));
	if (output != NULL)
		json_set(definition, "outputSchema", json_share(output));
	if (annotations != NULL)
		json_set(definition, "annotations", json_share(annotations));
	return definition;
}

static int
compile(const json_value *schema, const char *tool, const char *which,
	struct porta_schema **ret_schema, struct error *err)
{
	char sentence[SCHEMA_SENTENCE_BYTES];
	struct strbuf text = STRBUF_INIT;
	struct strbuf shown = STRBUF_INIT;

	if (schema == NULL)
		return 0;
	json_write(&text, schema, JSON_STYLE_COMPACT);
	*ret_schema = porta_schema_new(text.text, text.length, sentence, sizeof(sentence));
	strbuf_done(&text);
	if (*ret_schema != NULL)
		return 0;
	strbuf_put_printable(&shown, sentence);
	error_set(err, -EINVAL, "the %s of the tool %s %s", which, tool, shown.text);
	strbuf_done(&shown);
	return -EINVAL;
}

/* Takes `definition`. */
static int
add_tool(struct catalog *catalog, enum tool_origin origin, json_value *definition,
	 struct error *err)
{
	struct catalog_tool *tool = &catalog->tools[catalog->tools_count++];
	const struct json_place place = JSON_PLACE_OF(definition);
	struct json_place name, input, output, type;
	const char *text = "";
	int r;

	*tool = (struct catalog_tool){ .origin = origin, .definition = definition };
	json_member(&place, "name", &name);
	json_get_string(&name, &tool->name, err);
	json_member(&place, "inputSchema", &input);
	r = compile(input.value, tool->name, "inputSchema", &tool->input, err);
	if (r == 0)
		r = param_headers_find(input.value, &tool->headers, &tool->headers_count, err);
	if (r < 0 && tool->input != NULL)
		return error_wrap(err, r, "the inputSchema of the tool %s", tool->name);
	if (r < 0)
		return r;
	if (!json_member(&place, "outputSchema", &output))
		return 0;
	tool->output_is_object = json_member(&output, "type", &type) &&
				 json_kind_of(&type) == JSON_KIND_STRING &&
				 json_get_string(&type, &text, err) == 0 && str_equal(text, "object");
	return compile(output.value, tool->name, "outputSchema", &tool->output, err);
}

static int
add_manifest_tools(struct catalog *catalog, struct error *err)
{
	const struct manifest *manifest = catalog->manifest;
	int r = 0;

	for (size_t i = 0; r == 0 && i < manifest->tools_count; i++) {
		const struct manifest_tool *tool = &manifest->tools[i];

		r = add_tool(catalog, TOOL_OF_ENTRY,
			     define(tool->name, tool->description, tool->input_schema,
				    tool->output_schema, tool->annotations),
			     err);
	}
	return r;
}

static int
add_functions(struct catalog *catalog, const struct facts *facts, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < facts->exports_count; i++) {
		const struct facts_export *export = &facts->exports[i];

		if (str_equal(export->kind, "function") && manifest_is_tool_name(export->name))
			r = add_tool(catalog, TOOL_OF_FUNCTION, define(export->name, "", NULL, NULL, NULL),
				     err);
	}
	return r;
}

static int
add_builtins(struct catalog *catalog, const struct policy *policy, capability_set granted,
	     struct error *err)
{
	json_value *exec = builtin_define_exec(policy, granted);
	json_value *http = builtin_define_http(policy, granted);
	int r = 0;

	if (exec != NULL)
		r = add_tool(catalog, TOOL_EXEC, exec, err);
	if (http == NULL)
		return r;
	if (r == 0)
		return add_tool(catalog, TOOL_HTTP, http, err);
	json_free(http);
	return r;
}

/* An object of the fields that are there. */
static json_value *
list_resources(const struct manifest_resource *resources, size_t count, const char *uri)
{
	json_value *list = json_new_array();

	for (size_t i = 0; i < count; i++) {
		json_value *item = json_new_object();

		json_set(item, uri, json_new_string(resources[i].uri));
		json_set(item, "name", json_new_string(resources[i].name));
		if (*resources[i].description != '\0')
			json_set(item, "description", json_new_string(resources[i].description));
		if (resources[i].mime_type != NULL)
			json_set(item, "mimeType", json_new_string(resources[i].mime_type));
		json_append(list, item);
	}
	return list;
}

static json_value *
list_prompts(const struct manifest *manifest)
{
	json_value *list = json_new_array();

	for (size_t i = 0; i < manifest->prompts_count; i++) {
		const struct manifest_prompt *prompt = &manifest->prompts[i];
		json_value *item = json_new_object();
		json_value *arguments = json_new_array();

		json_set(item, "name", json_new_string(prompt->name));
		if (*prompt->description != '\0')
			json_set(item, "description", json_new_string(prompt->description));
		for (size_t a = 0; a < prompt->arguments_count; a++) {
			json_value *argument = json_new_object();

			json_set(argument, "name", json_new_string(prompt->arguments[a].name));
			if (*prompt->arguments[a].description != '\0')
				json_set(argument, "description",
					 json_new_string(prompt->arguments[a].description));
			json_set(argument, "required", json_new_bool(prompt->arguments[a].required));
			json_append(arguments, argument);
		}
		json_set(item, "arguments", arguments);
		json_append(list, item);
	}
	return list;
}

bool
catalog_needs_description(const struct manifest *manifest)
{
	return !manifest->has_tools;
}

/* {"ok": MANIFEST}, a manifest itself, or a list of tools. Anything else describes nothing. */
static void
read_description(struct catalog *catalog, const struct catalog_source *source, struct strv *notes)
{
	static const struct json_limits limits = { .bytes_max = MANIFEST_MAX_BYTES,
						   .depth_max = MANIFEST_DEPTH_MAX };
	_cleanup_json_ json_value *root = NULL;
	_cleanup_json_ json_value *wrapped = NULL;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct json_place place, member;

	if (source->described == NULL ||
	    json_parse(source->described, source->described_length, &limits, &root, &err) < 0)
		return;
	place = (struct json_place)JSON_PLACE_OF(root);
	if (json_kind_of(&place) == JSON_KIND_OBJECT && json_member(&place, "err", &member))
		return;
	if (json_kind_of(&place) == JSON_KIND_OBJECT && json_member(&place, "ok", &member))
		place = (struct json_place)JSON_PLACE_OF(member.value);
	wrapped = json_share(place.value);
	if (json_kind_of(&place) == JSON_KIND_ARRAY) {
		json_value *object = json_new_object();

		json_set(object, "tools", TAKE_PTR(wrapped));
		wrapped = object;
	}
	json_write(&text, wrapped, JSON_STYLE_COMPACT);
	if (manifest_parse(&catalog->described, text.text, text.length, &err) < 0)
		strv_take(notes, mem_printf("what _describe answers is no manifest: %s", err.message));
	strbuf_done(&text);
}

int
catalog_make(struct catalog *ret_catalog, const struct catalog_source *source, struct strv *notes,
	     struct error *err)
{
	struct catalog *catalog = ret_catalog;
	int r;

	manifest_init(&catalog->described);
	if (catalog_needs_description(source->manifest))
		read_description(catalog, source, notes);
	catalog->manifest =
	    catalog->described.root != NULL ? &catalog->described : source->manifest;
	catalog->tools = mem_zalloc(catalog->manifest->tools_count + source->facts->exports_count +
					BUILTIN_COUNT,
				    sizeof(*catalog->tools));
	r = catalog->manifest->has_tools ? add_manifest_tools(catalog, err)
					 : add_functions(catalog, source->facts, err);
	if (r == 0)
		r = add_builtins(catalog, source->policy, source->granted, err);
	catalog->lists[CATALOG_RESOURCES] = list_resources(
	    catalog->manifest->resources, catalog->manifest->resources_count, "uri");
	catalog->lists[CATALOG_TEMPLATES] =
	    list_resources(catalog->manifest->resource_templates,
			   catalog->manifest->resource_templates_count, "uriTemplate");
	catalog->lists[CATALOG_PROMPTS] = list_prompts(catalog->manifest);
	return r;
}

void
catalog_done(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->tools_count; i++) {
		struct catalog_tool *tool = &catalog->tools[i];

		param_headers_done(tool->headers, tool->headers_count);
		porta_schema_free(tool->input);
		porta_schema_free(tool->output);
		json_free(tool->definition);
	}
	free(catalog->tools);
	for (size_t i = 0; i < CATALOG_KIND_COUNT; i++)
		json_free(catalog->lists[i]);
	manifest_done(&catalog->described);
}

const struct catalog_tool *
catalog_find_tool(const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->tools_count; i++) {
		if (str_equal(catalog->tools[i].name, name))
			return &catalog->tools[i];
	}
	return NULL;
}

const struct manifest_prompt *
catalog_find_prompt(const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->manifest->prompts_count; i++) {
		if (str_equal(catalog->manifest->prompts[i].name, name))
			return &catalog->manifest->prompts[i];
	}
	return NULL;
}

bool
catalog_has_resources(const struct catalog *catalog)
{
	return catalog->manifest->resources_count + catalog->manifest->resource_templates_count > 0;
}

bool
catalog_has_prompts(const struct catalog *catalog)
{
	return catalog->manifest->prompts_count > 0;
}

bool
catalog_has_completions(const struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->manifest->prompts_count; i++) {
		if (catalog->manifest->prompts[i].arguments_count > 0)
			return true;
	}
	return catalog->manifest->resource_templates_count > 0;
}

const char *
catalog_kind_name(enum catalog_kind kind)
{
	static const char *const names[] = {
		[CATALOG_TOOLS] = "tools",
		[CATALOG_RESOURCES] = "resources",
		[CATALOG_TEMPLATES] = "resourceTemplates",
		[CATALOG_PROMPTS] = "prompts",
	};

	static_assert(ARRAY_SIZE(names) == CATALOG_KIND_COUNT, "a name for each kind");
	return names[kind];
}

/* The definition without what the version does not know. */
static json_value *
tool_for(const struct catalog_tool *tool, enum mcp_version version)
{
	const struct json_place place = JSON_PLACE_OF(tool->definition);
	struct json_place member = { 0 };
	bool with_output = mcp_has_structured(version) &&
			   (tool->output_is_object || mcp_has_any_structured(version));
	json_value *definition = json_new_object();

	while (json_next_member(&place, &member)) {
		if ((str_equal(member.name, "outputSchema") && !with_output) ||
		    (str_equal(member.name, "annotations") && !mcp_has_tool_annotations(version)))
			continue;
		json_set(definition, member.name, json_share(member.value));
	}
	return definition;
}

static size_t
count_of(const struct catalog *catalog, enum catalog_kind kind)
{
	const struct json_place place = JSON_PLACE_OF(catalog->lists[kind]);

	return kind == CATALOG_TOOLS ? catalog->tools_count : json_count(&place);
}

/* "tools-100": where a page begins, and nothing else; any replica reads it. */
static int
read_cursor(const struct catalog *catalog, enum catalog_kind kind, const char *cursor,
	    size_t *ret_start)
{
	const char *name = catalog_kind_name(kind);
	size_t length = strlen(name);
	uint64_t start;

	if (!str_starts_with(cursor, name) || cursor[length] != '-' ||
	    str_parse_u64(cursor + length + 1, 1, UINT32_MAX, &start) < 0 ||
	    cursor[length + 1] == '0' || start % CATALOG_PAGE_ITEMS != 0 ||
	    start >= count_of(catalog, kind))
		return -EINVAL;
	*ret_start = (size_t)start;
	return 0;
}

int
catalog_put_page(const struct catalog *catalog, enum catalog_kind kind, enum mcp_version version,
		 const char *cursor, json_value *result)
{
	const struct json_place list = JSON_PLACE_OF(catalog->lists[kind]);
	json_value *items = NULL;
	size_t count = count_of(catalog, kind);
	size_t start = 0;
	size_t end;

	if (cursor != NULL && read_cursor(catalog, kind, cursor, &start) < 0)
		return -EINVAL;
	items = json_new_array();
	end = MIN(count, start + CATALOG_PAGE_ITEMS);
	for (size_t i = start; i < end; i++) {
		struct json_place item;

		if (kind == CATALOG_TOOLS) {
			json_append(items, tool_for(&catalog->tools[i], version));
			continue;
		}
		json_item(&list, i, &item);
		json_append(items, json_share(item.value));
	}
	json_set(result, catalog_kind_name(kind), items);
	if (end < count) {
		_cleanup_free_ char *next = mem_printf("%s-%zu", catalog_kind_name(kind), end);

		json_set(result, "nextCursor", json_new_string(next));
	}
	return 0;
}
