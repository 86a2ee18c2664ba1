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

/* What versions know of an item, in the order in which it is listed. */
struct item_member {
	const char *name; /* NULL: the last */
	enum mcp_version since;
	const struct item_member *members; /* of it, or of each of its items; NULL: whatever is there */
};

static const struct item_member icon_members[] = {
	{ .name = "src" }, { .name = "mimeType" }, { .name = "sizes" }, { .name = "theme" }, { 0 },
};

static const struct item_member hint_members[] = {
	{ .name = "title" },	      { .name = "readOnlyHint" },  { .name = "destructiveHint" },
	{ .name = "idempotentHint" }, { .name = "openWorldHint" }, { 0 },
};

static const struct item_member annotation_members[] = {
	{ .name = "audience" },
	{ .name = "priority" },
	{ .name = "lastModified", .since = MCP_2025_06_18 },
	{ 0 },
};

static const struct item_member argument_members[] = {
	{ .name = "name" },
	{ .name = "title", .since = MCP_2025_06_18 },
	{ .name = "description" },
	{ .name = "required" },
	{ 0 },
};

#define MEMBERS_FOR_PEOPLE                                                                         \
	{ .name = "title", .since = MCP_2025_06_18 }, { .name = "description" },                   \
	    { .name = "icons", .since = MCP_2025_11_25, .members = icon_members },                 \
	    { .name = "_meta", .since = MCP_2025_06_18 }
#define MEMBERS_OF_RESOURCES                                                                       \
	{ .name = "name" }, MEMBERS_FOR_PEOPLE, { .name = "mimeType" },                            \
	    { .name = "annotations", .members = annotation_members }

static const struct item_member tool_members[] = {
	{ .name = "name" },
	MEMBERS_FOR_PEOPLE,
	{ .name = "inputSchema" },
	{ .name = "outputSchema", .since = MCP_2025_06_18 },
	{ .name = "annotations", .since = MCP_2025_03_26, .members = hint_members },
	{ 0 },
};
static const struct item_member resource_members[] = {
	{ .name = "uri" }, MEMBERS_OF_RESOURCES, { .name = "size" }, { 0 }
};
static const struct item_member template_members[] = { { .name = "uriTemplate" },
						       MEMBERS_OF_RESOURCES,
						       { 0 } };
static const struct item_member prompt_members[] = {
	{ .name = "name" },
	MEMBERS_FOR_PEOPLE,
	{ .name = "arguments", .members = argument_members },
	{ 0 },
};

static const struct item_member *const members_of[] = {
	[CATALOG_TOOLS] = tool_members,
	[CATALOG_RESOURCES] = resource_members,
	[CATALOG_TEMPLATES] = template_members,
	[CATALOG_PROMPTS] = prompt_members,
};
static_assert(ARRAY_SIZE(members_of) == CATALOG_KIND_COUNT, "members of each kind");

/* Of the agent itself. */
static const struct item_member server_members[] = {
	{ .name = "name" },
	{ .name = "version" },
	{ .name = "title", .since = MCP_2025_06_18 },
	{ .name = "description", .since = MCP_2025_11_25 },
	{ .name = "websiteUrl", .since = MCP_2025_11_25 },
	{ .name = "icons", .since = MCP_2025_11_25, .members = icon_members },
	{ 0 },
};

/* A description that says nothing is none. */
static bool
is_empty_text(const struct json_place *place)
{
	struct error unused;
	const char *text;

	return json_kind_of(place) == JSON_KIND_STRING && json_get_string(place, &text, &unused) == 0 &&
	       *text == '\0';
}

/* An object, or a list of them, as the version knows it. */
static json_value *
known_to(enum mcp_version version, const struct json_place *item, const struct item_member *members)
{
	json_value *known;
	struct json_place member;

	if (json_kind_of(item) == JSON_KIND_ARRAY) {
		known = json_new_array();
		for (size_t i = 0; i < json_count(item); i++) {
			json_item(item, i, &member);
			json_append(known, known_to(version, &member, members));
		}
		return known;
	}
	known = json_new_object();
	for (; members->name != NULL; members++) {
		if (members->since > version || !json_member(item, members->name, &member) ||
		    is_empty_text(&member))
			continue;
		json_set(known, members->name,
			 members->members != NULL ? known_to(version, &member, members->members)
						  : json_share(member.value));
	}
	return known;
}

/* A tool of this name; without a `record`, without more. */
static json_value *
define(const char *name, const json_value *record)
{
	const struct json_place place = JSON_PLACE_OF(record);
	json_value *definition = json_new_object();
	struct json_place member = { 0 };
	struct json_place input = { 0 };
	json_value *schema = any_object();

	json_set(definition, "name", json_new_string(name));
	while (record != NULL && json_next_member(&place, &member))
		json_set(definition, member.name, json_share(member.value));
	/* MCP wants the type also where there is but one that may be. */
	if (record != NULL && json_member(&place, "inputSchema", &input)) {
		member = (struct json_place){ 0 };
		while (json_next_member(&input, &member))
			json_set(schema, member.name, json_share(member.value));
	}
	json_set(definition, "inputSchema", schema);
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

		r = add_tool(catalog, TOOL_OF_ENTRY, define(tool->name, tool->record), err);
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
			r = add_tool(catalog, TOOL_OF_FUNCTION, define(export->name, NULL), err);
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

/* A list of the manifest's. */
static json_value *
list_of(const struct manifest *manifest, const char *name)
{
	const struct json_place root = JSON_PLACE_OF(manifest->root);
	struct json_place list;

	return manifest->root != NULL && json_member(&root, name, &list) ? json_share(list.value)
									  : json_new_array();
}

/* The module's name where the manifest has none. */
static json_value *
name_server(const struct manifest *manifest, const char *path)
{
	const char *base = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	_cleanup_free_ char *name = mem_strndup(base, strlen(base) - (str_ends_with(base, ".wasm") ? 5 : 0));
	json_value *info = json_new_object();

	json_set(info, "name", json_new_string(manifest->name != NULL ? manifest->name : name));
	json_set(info, "version", json_new_string(manifest->version));
	return info;
}

json_value *
catalog_new_server_info(const struct catalog *catalog, enum mcp_version version)
{
	const struct json_place root = JSON_PLACE_OF(catalog->manifest->root);
	const struct json_place named = JSON_PLACE_OF(catalog->server_info);
	struct json_place member = { 0 };
	json_value *info = catalog->manifest->root != NULL ? known_to(version, &root, server_members)
							   : json_new_object();

	while (json_next_member(&named, &member))
		json_set(info, member.name, json_share(member.value));
	return info;
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
	for (enum catalog_kind kind = CATALOG_RESOURCES; kind < CATALOG_KIND_COUNT; kind++)
		catalog->lists[kind] = list_of(catalog->manifest, catalog_kind_name(kind));
	catalog->server_info = name_server(catalog->manifest, source->path);
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
	json_free(catalog->server_info);
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

static json_value *
tool_for(const struct catalog_tool *tool, enum mcp_version version)
{
	const struct json_place place = JSON_PLACE_OF(tool->definition);
	json_value *definition = known_to(version, &place, tool_members);

	if (!tool->output_is_object && !mcp_has_any_structured(version))
		json_remove(definition, "outputSchema");
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
		json_append(items, known_to(version, &item, members_of[kind]));
	}
	json_set(result, catalog_kind_name(kind), items);
	if (end < count) {
		_cleanup_free_ char *next = mem_printf("%s-%zu", catalog_kind_name(kind), end);

		json_set(result, "nextCursor", json_new_string(next));
	}
	return 0;
}
