/* config/manifest: what is read, what is refused and where, and what a build leaves as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/manifest.h"
#include "util/fd.h"
#include "util/mem.h"

#define FIXTURES PORTA_FIXTURES "/manifest"

/* invalid_NAME.json, and what is said about it. */
static const struct {
	const char *name;
	const char *sentence;
} invalid[] = {
	{ "empty", "not JSON: line 1" },
	{ "not_json", "not JSON: line 1, column" },
	{ "truncated", "not JSON: line" },
	{ "array", "at the top: an array where an object belongs" },
	{ "name_twice", "line 3, column 8: duplicate object key" },
	{ "name_number", "at /name: an integer where a string belongs" },
	{ "name_empty", "at /name: it is empty" },
	{ "schema_version_2", "at /schema_version: this porta reads version \"1.0\" only" },
	{ "schema_version_integer_2", "at /schema_version: 2 is not between 1 and 1" },
	{ "schema_version_array", "at /schema_version: an array where a string belongs" },
	{ "entry_null", "at /entry: null where a string belongs" },
	{ "capabilities_string", "at /capabilities: a string where an array belongs" },
	{ "capabilities_item", "at /capabilities/1: an integer where a string belongs" },
	{ "capabilities_unknown",
	  "at /capabilities/1: \"filesystem\" is not a capability: write some of io" },
	{ "capabilities_list_in_string", "at /capabilities/0: one capability is one string" },
	{ "wasi_imports_object", "at /wasi_imports: an object where an array belongs" },
	{ "tools_object", "at /tools: an object where an array belongs" },
	{ "tools_item", "at /tools/1: a string where an object belongs" },
	{ "tool_without_name", "at /tools/0: the field \"name\" is missing" },
	{ "tool_name_blank", "at /tools/0/name: a tool's name has 1 to 128 letters" },
	{ "tool_name_empty", "at /tools/0/name: a tool's name has 1 to 128 letters" },
	{ "tool_name_long", "at /tools/0/name: a tool's name has 1 to 128 letters" },
	{ "tool_name_underscore",
	  "at /tools/0/name: a name that begins with \"_\" is never callable" },
	{ "tool_name_porta", "at /tools/0/name: names that begin with \"porta.\"" },
	{ "tool_twice", "at /tools/2/name: item 0 has the same name" },
	{ "tool_input_schema_true",
	  "at /tools/0/inputSchema: true or false where an object belongs" },
	{ "tool_input_schema_string",
	  "at /tools/0/inputSchema/type: a tool's arguments are an object" },
	{ "tool_input_schema_type_list",
	  "at /tools/0/inputSchema/type: an array where a string belongs" },
	{ "tool_output_schema_array",
	  "at /tools/0/outputSchema: an array where an object belongs" },
	{ "tool_annotations_string", "at /tools/0/annotations: a string where an object belongs" },
	{ "resource_without_uri", "at /resources/0: the field \"uri\" is missing" },
	{ "resource_without_name", "at /resources/0: the field \"name\" is missing" },
	{ "resource_twice", "at /resources/1/uri: item 0 has the same uri" },
	{ "resource_mime_type",
	  "at /resources/0/mimeType: a number with a fraction where a string" },
	{ "template_without_uri_template",
	  "at /resourceTemplates/0: the field \"uriTemplate\" is missing" },
	{ "prompt_arguments_object", "at /prompts/0/arguments: an object where an array belongs" },
	{ "prompt_argument_required",
	  "at /prompts/0/arguments/0/required: a string where true or false" },
	{ "prompt_argument_twice", "at /prompts/0/arguments/1/name: item 0 has the same name" },
	{ "title_number",
	  "at /title: an integer where a string belongs" },
	{ "website_file",
	  "at /websiteUrl: a website is at an https:// or http:// address" },
	{ "icons_object",
	  "at /icons: an object where an array belongs" },
	{ "icon_without_src",
	  "at /icons/0: the field \"src\" is missing" },
	{ "icon_script",
	  "at /tools/0/icons/1/src: an icon is at an https: or http: address, or a data: URI" },
	{ "icon_sizes",
	  "at /prompts/0/icons/0/sizes: a string where an array belongs" },
	{ "icon_theme",
	  "at /tools/0/icons/0/theme: this is \"light\" or \"dark\"" },
	{ "tool_hint",
	  "at /tools/0/annotations/readOnlyHint: a string where true or false" },
	{ "tool_meta",
	  "at /tools/0/_meta: an array where an object belongs" },
	{ "resource_title",
	  "at /resources/0/title: an array where a string belongs" },
	{ "resource_size",
	  "at /resources/0/size: -1 is not between 0 and" },
	{ "resource_audience",
	  "at /resources/0/annotations/audience/1: this is \"user\" or \"assistant\"" },
	{ "resource_priority",
	  "at /resourceTemplates/0/annotations/priority: a priority is between 0 and 1" },
	{ "prompt_argument_title",
	  "at /prompts/0/arguments/0/title: an object where a string belongs" },
	{ "too_deep", "more than 100 levels deep" },
	{ "too_many_tools", "at /tools: more than 1024 items" },
	{ "control_characters", "io\\x1b[31m\" is not a capability" },
};

static char *
fixture_path(const char *kind, const char *name)
{
	return mem_printf(FIXTURES "/%s_%s.json", kind, name);
}

static void
parse(struct manifest *manifest, const char *text)
{
	struct error err = ERROR_INIT;

	manifest_init(manifest);
	if (manifest_parse(manifest, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.message);
}

static void
test_invalid_fixtures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
		_cleanup_free_ char *path = fixture_path("invalid", invalid[i].name);
		struct manifest manifest;
		struct error err = ERROR_INIT;

		manifest_init(&manifest);
		assert_true(manifest_load(&manifest, path, &err) < 0);
		if (strstr(err.message, invalid[i].sentence) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", invalid[i].sentence, err.message);
		assert_true(str_starts_with(err.message, path));
		assert_null(manifest.root);
		assert_string_equal(manifest.entry, "_start");
	}
}

static void
test_every_fixture_is_in_the_table(void **state)
{
	DIR *directory = opendir(FIXTURES);
	size_t count = 0;

	(void)state;
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += str_starts_with(entry->d_name, "invalid_");
	closedir(directory);
	assert_int_equal(count, ARRAY_SIZE(invalid));
}

static void
test_a_full_manifest(void **state)
{
	_cleanup_free_ char *path = fixture_path("valid", "full");
	struct manifest manifest;
	struct error err = ERROR_INIT;
	struct strbuf written = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;

	(void)state;
	manifest_init(&manifest);
	assert_int_equal(manifest_load(&manifest, path, &err), 0);
	assert_string_equal(manifest.name, "my-agent");
	assert_string_equal(manifest.version, "2.3.4");
	assert_string_equal(manifest.description, "An example agent");
	assert_true(manifest.has_capabilities);
	assert_int_equal(manifest.capabilities, 1U << CAPABILITY_IO | 1U << CAPABILITY_FS);
	assert_true(manifest.has_tools);
	assert_int_equal(manifest.tools_count, 2);
	assert_string_equal(manifest.tools[0].description, "Say hello");
	assert_non_null(manifest.tools[0].record);
	assert_string_equal(manifest.tools[1].name, "wave");
	assert_string_equal(manifest.tools[1].description, "");
	assert_int_equal(manifest.resources_count, 1);
	assert_string_equal(manifest.resources[0].mime_type, "application/json");
	assert_int_equal(manifest.resource_templates_count, 1);
	assert_string_equal(manifest.resource_templates[0].uri, "file:///{path}");
	assert_null(manifest.resource_templates[0].mime_type);
	assert_int_equal(manifest.prompts_count, 1);
	assert_int_equal(manifest.prompts[0].arguments_count, 2);
	assert_true(manifest.prompts[0].arguments[0].required);
	assert_false(manifest.prompts[0].arguments[1].required);
	assert_int_equal(manifest.warnings.count, 0);

	assert_int_equal(fd_read_file_at(AT_FDCWD, path, 100000, &text, NULL), 0);
	manifest_write(&written, manifest.root);
	assert_string_equal(written.text, text);
	strbuf_done(&written);
	manifest_done(&manifest);
	manifest_done(NULL);
}

static void
test_what_is_missing_has_a_default(void **state)
{
	struct manifest manifest;

	(void)state;
	parse(&manifest, "{}");
	assert_null(manifest.name);
	assert_string_equal(manifest.version, "0.1.0");
	assert_string_equal(manifest.description, "");
	assert_string_equal(manifest.entry, "_start");
	assert_false(manifest.has_capabilities);
	assert_false(manifest.has_tools);
	manifest_done(&manifest);

	/* Nothing at all is more than nothing said. */
	parse(&manifest, "{\"capabilities\":[],\"tools\":[],\"schema_version\":1}");
	assert_true(manifest.has_capabilities);
	assert_int_equal(manifest.capabilities, 0);
	assert_true(manifest.has_tools);
	assert_int_equal(manifest.tools_count, 0);
	manifest_done(&manifest);
}

static void
test_unknown_fields_warn(void **state)
{
	struct manifest manifest;
	struct strbuf many = STRBUF_INIT;

	(void)state;
	parse(&manifest, "{\"tools\":[{\"name\":\"a\",\"annotations\":{\"readonlyHint\":true}}]}");
	assert_int_equal(manifest.warnings.count, 1);
	assert_non_null(strstr(manifest.warnings.items[0], "(did you mean readOnlyHint?)"));
	manifest_done(&manifest);

	parse(&manifest, "{\"tols\":1,\"tools\":[{\"name\":\"a\",\"x\\u001b/y\":{\"name\":5}}]}");
	assert_int_equal(manifest.warnings.count, 2);
	assert_string_equal(
	    manifest.warnings.items[0],
	    "the field /tols is not known, and has no effect (did you mean tools?)");
	assert_string_equal(manifest.warnings.items[1],
			    "the field /tools/0/x\\x1b~1y is not known, and has no effect");
	manifest_done(&manifest);

	strbuf_puts(&many, "{\"f\":0");
	for (int i = 0; i < 100; i++)
		strbuf_printf(&many, ",\"zzzzzzzzz%d\":0", i);
	strbuf_puts(&many, "}");
	parse(&manifest, many.text);
	assert_int_equal(manifest.warnings.count, MANIFEST_WARNINGS_MAX + 1);
	assert_string_equal(manifest.warnings.items[MANIFEST_WARNINGS_MAX],
			    "there are more fields that are not known");
	manifest_done(&manifest);
	strbuf_done(&many);
}

static void
test_names_of_tools(void **state)
{
	(void)state;
	assert_true(manifest_is_tool_name("add"));
	assert_true(manifest_is_tool_name("a.b-C_9"));
	assert_false(manifest_is_tool_name(""));
	assert_false(manifest_is_tool_name("_start"));
	assert_false(manifest_is_tool_name("__wasm_call_ctors"));
	assert_false(manifest_is_tool_name("memory"));
	assert_false(manifest_is_tool_name("malloc"));
	assert_false(manifest_is_tool_name("porta.exec"));
	assert_false(manifest_is_tool_name("say hello"));
	assert_false(manifest_is_tool_name("caf\xc3\xa9"));
	assert_false(manifest_is_tool_name("a\n"));
}

static void
test_paths(void **state)
{
	static const char *const cases[][2] = {
		{ "agent.wasm", "agent.manifest.json" },
		{ "/a.wasm/b.wasm", "/a.wasm/b.manifest.json" },
		{ "dir/agent", "dir/agent.manifest.json" },
		{ "agent.v1.wasm", "agent.v1.manifest.json" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = manifest_path_of(cases[i][0]);

		assert_string_equal(path, cases[i][1]);
	}
}

static const struct manifest_import imports[] = {
	{ "wasi_snapshot_preview1", "random_get" },
	{ "wasi_snapshot_preview1", "fd_write" },
	{ "wasi_snapshot_preview1", "fd_write" },
	{ "porta", "http_request" },
	{ "env", "unknown" },
};
static const char *const functions[] = { "_start", "memory", "add", "sub" };

static const struct manifest_facts facts = {
	.name = "agent",
	.imports = imports,
	.imports_count = ARRAY_SIZE(imports),
	.functions = functions,
	.functions_count = ARRAY_SIZE(functions),
};

/* The merged text of `edited` (NULL: none); the notes are put behind it. */
static char *
merge(const char *edited, const struct manifest_facts *from)
{
	struct manifest manifest;
	struct strv notes = STRV_INIT;
	struct strbuf out = STRBUF_INIT;

	manifest_init(&manifest);
	if (edited != NULL)
		parse(&manifest, edited);
	{
		_cleanup_json_ json_value *merged = manifest_merge(manifest.root, from, &notes);

		json_write(&out, merged, JSON_STYLE_COMPACT);
	}
	for (size_t i = 0; i < notes.count; i++)
		strbuf_printf(&out, "\n%s", notes.items[i]);
	strv_done(&notes);
	manifest_done(&manifest);
	return strbuf_take(&out);
}

#define NEW_TOOL(name)                                                                             \
	"{\"name\":\"" name "\",\"description\":\"\",\"inputSchema\":{\"type\":\"object\"}}"

static void
test_a_new_manifest(void **state)
{
	_cleanup_free_ char *text = merge(NULL, &facts);
	_cleanup_free_ char *again = merge(text, &facts);

	(void)state;
	assert_string_equal(text,
			    "{\"schema_version\":\"1.0\",\"name\":\"agent\",\"version\":\"0.1.0\","
			    "\"description\":\"\",\"entry\":\"_start\","
			    "\"capabilities\":[\"io\",\"random\",\"net\"],"
			    "\"wasi_imports\":[\"random_get\",\"fd_write\"],"
			    "\"tools\":[" NEW_TOOL("add") "," NEW_TOOL("sub") "]}");
	assert_string_equal(again, text);
}

/* A list of no tools would hide those that the agent describes itself. */
static void
test_a_module_without_functions(void **state)
{
	static const char *const only_start[] = { "_start", "memory" };
	const struct manifest_facts command = { .name = "a\xff",
						.functions = only_start,
						.functions_count = 2 };
	_cleanup_free_ char *text = merge(NULL, &command);

	(void)state;
	assert_null(strstr(text, "tools"));
	assert_non_null(strstr(text, "\"name\":\"a\xef\xbf\xbd\""));
	assert_non_null(strstr(text, "\"capabilities\":[],\"wasi_imports\":[]"));
}

static void
test_what_is_edited_stays(void **state)
{
	_cleanup_free_ char *path = fixture_path("valid", "edited");
	_cleanup_free_ char *edited = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *again = NULL;

	(void)state;
	assert_int_equal(fd_read_file_at(AT_FDCWD, path, 100000, &edited, NULL), 0);
	text = merge(edited, &facts);
	assert_string_equal(
	    text, "{\"x-owner\":{\"mail\":\"owner@example.com\",\"weights\":[0.1,1e-07]},"
		  "\"tools\":[{\"name\":\"add\",\"title\":\"Addition\","
		  "\"description\":\"Adds two numbers\"}],\"name\":\"calculator\","
		  "\"capabilities\":[\"io\"],\"descripton\":\"misspelt\","
		  "\"schema_version\":\"1.0\",\"version\":\"0.1.0\",\"description\":\"\","
		  "\"entry\":\"_start\",\"wasi_imports\":[\"random_get\",\"fd_write\"]}\n"
		  "the exported function sub is none of the manifest's tools: add it there if "
		  "clients may call it\n"
		  "the module's imports need random, net, which the manifest's capabilities do "
		  "not grant");
	*strchr(text, '\n') = '\0';
	again = merge(text, &facts);
	*strchr(again, '\n') = '\0';
	assert_string_equal(again, text);
}

static void
test_wasi_imports_are_the_modules(void **state)
{
	_cleanup_free_ char *text = merge("{\"wasi_imports\":[\"old\"],\"name\":\"x\"}", &facts);

	(void)state;
	assert_true(str_starts_with(text, "{\"wasi_imports\":[\"random_get\",\"fd_write\"],"));
}

static void
test_the_custom_section_comes_before_the_facts(void **state)
{
	struct manifest section;
	struct manifest_facts with_section = facts;
	_cleanup_free_ char *text = NULL;

	(void)state;
	parse(&section, "{\"name\":\"inner\",\"version\":\"9\",\"wasi_imports\":[\"x\"],"
			"\"tools\":[{\"name\":\"one\"}],\"prompts\":[{\"name\":\"p\"}],\"y\":1}");
	with_section.section = section.root;
	text = merge("{\"name\":\"outer\"}", &with_section);
	*strchr(text, '\n') = '\0';
	assert_string_equal(text,
			    "{\"name\":\"outer\",\"schema_version\":\"1.0\",\"version\":\"9\","
			    "\"description\":\"\",\"entry\":\"_start\","
			    "\"capabilities\":[\"io\",\"random\",\"net\"],"
			    "\"wasi_imports\":[\"random_get\",\"fd_write\"],"
			    "\"tools\":[{\"name\":\"one\"}],\"prompts\":[{\"name\":\"p\"}]}");
	manifest_done(&section);
}

static void
test_saving(void **state)
{
	char directory[] = "/tmp/test_manifest.XXXXXX";
	struct error err = ERROR_INIT;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *link = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_value *value = json_new_object();
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(directory));
	path = mem_printf("%s/a.manifest.json", directory);
	link = mem_printf("%s/link", directory);
	json_set(value, "name", json_new_string("a"));
	assert_int_equal(manifest_save(path, value, &err), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(symlink("a.manifest.json", link), 0);
	json_set(value, "name", json_new_string("b"));
	assert_int_equal(manifest_save(link, value, &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(fd_read_file_at(AT_FDCWD, path, 1000, &text, NULL), 0);
	assert_string_equal(text, "{\n  \"name\": \"b\"\n}\n");
	unlink(link);
	unlink(path);
	/* Nothing else was left. */
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(manifest_save(path, value, &err), -ENOENT);
	assert_non_null(strstr(err.message, "cannot be written"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_invalid_fixtures),
		cmocka_unit_test(test_every_fixture_is_in_the_table),
		cmocka_unit_test(test_a_full_manifest),
		cmocka_unit_test(test_what_is_missing_has_a_default),
		cmocka_unit_test(test_unknown_fields_warn),
		cmocka_unit_test(test_names_of_tools),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_a_new_manifest),
		cmocka_unit_test(test_a_module_without_functions),
		cmocka_unit_test(test_what_is_edited_stays),
		cmocka_unit_test(test_wasi_imports_are_the_modules),
		cmocka_unit_test(test_the_custom_section_comes_before_the_facts),
		cmocka_unit_test(test_saving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
