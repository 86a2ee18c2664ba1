/* Writing agent.manifest.json: what a module says, and what a person has edited; see manifest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/manifest.h"
#include "util/fd.h"
#include "util/mem.h"

static void
note(struct strv *notes, const char *before, const char *name, const char *after)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_puts(&out, before);
	strbuf_put_printable(&out, name);
	strbuf_puts(&out, after);
	strv_take(notes, strbuf_take(&out));
}

static capability_set
needed_capabilities(const struct manifest_facts *facts)
{
	capability_set set = 0;

	for (size_t i = 0; i < facts->imports_count; i++) {
		struct import_verdict verdict;

		capability_of_import(facts->imports[i].module, facts->imports[i].name, true,
				     &verdict);
		if (verdict.kind == IMPORT_KNOWN)
			set |= 1U << verdict.capability;
	}
	return set;
}

static json_value *
make_capabilities(const struct manifest_facts *facts)
{
	capability_set set = needed_capabilities(facts);
	json_value *list = json_new_array();

	for (enum capability i = 0; i < CAPABILITY_COUNT; i++) {
		if ((set & (1U << i)) != 0)
			json_append(list, json_new_string(capability_name(i)));
	}
	return list;
}

/* The names alone, as the field's name says whose they are; each once, in the module's order. */
static json_value *
make_wasi_imports(const struct manifest_facts *facts)
{
	json_value *list = json_new_array();
	struct strv seen = STRV_INIT;

	for (size_t i = 0; i < facts->imports_count && seen.count < MANIFEST_ITEMS_MAX; i++) {
		const struct manifest_import *import = &facts->imports[i];

		if (!str_starts_with(import->module, "wasi_") || strv_contains(&seen, import->name))
			continue;
		strv_add(&seen, import->name);
		json_append(list, json_new_string(import->name));
	}
	strv_done(&seen);
	return list;
}

static json_value *
make_tool(const char *name)
{
	json_value *tool = json_new_object();
	json_value *schema = json_new_object();

	json_set(schema, "type", json_new_string("object"));
	json_set(tool, "name", json_new_string(name));
	json_set(tool, "description", json_new_string(""));
	json_set(tool, "inputSchema", schema);
	return tool;
}

/* NULL where there are none: an empty list would say that the agent has no tools by any means. */
static json_value *
make_tools(const struct manifest_facts *facts)
{
	json_value *list = NULL;

	for (size_t i = 0, count = 0; i < facts->functions_count && count < MANIFEST_ITEMS_MAX;
	     i++) {
		if (!manifest_is_tool_name(facts->functions[i]))
			continue;
		if (list == NULL)
			list = json_new_array();
		json_append(list, make_tool(facts->functions[i]));
		count++;
	}
	return list;
}

static json_value *
make_field(const char *name, const struct manifest_facts *facts)
{
	if (str_equal(name, "schema_version"))
		return json_new_string("1.0");
	if (str_equal(name, "name"))
		return json_new_string(facts->name);
	if (str_equal(name, "version"))
		return json_new_string("0.1.0");
	if (str_equal(name, "description"))
		return json_new_string("");
	if (str_equal(name, "entry"))
		return json_new_string("_start");
	if (str_equal(name, "capabilities"))
		return make_capabilities(facts);
	if (str_equal(name, "wasi_imports"))
		return make_wasi_imports(facts);
	if (str_equal(name, "tools"))
		return make_tools(facts);
	return NULL;
}

static bool
has_tool(const struct json_place *tools, const char *name)
{
	for (size_t i = 0; i < json_count(tools); i++) {
		struct json_place tool, place;
		struct error err;
		const char *text = "";

		json_item(tools, i, &tool);
		if (json_member(&tool, "name", &place) &&
		    json_get_string(&place, &text, &err) == 0 && str_equal(text, name))
			return true;
	}
	return false;
}

static void
note_tools(const struct json_place *merged, const struct manifest_facts *facts, struct strv *notes)
{
	struct json_place tools;

	if (!json_member(merged, "tools", &tools))
		return;
	for (size_t i = 0; i < facts->functions_count && notes->count < MANIFEST_WARNINGS_MAX;
	     i++) {
		const char *name = facts->functions[i];

		if (manifest_is_tool_name(name) && !has_tool(&tools, name))
			note(notes, "the exported function ", name,
			     " is none of the manifest's tools: add it there if clients may call "
			     "it");
	}
}

static void
note_capabilities(const struct json_place *merged, const struct manifest_facts *facts,
		  struct strv *notes)
{
	capability_set missing = needed_capabilities(facts);
	struct strbuf shown = STRBUF_INIT;
	struct json_place list;

	if (!json_member(merged, "capabilities", &list))
		return;
	for (size_t i = 0; i < json_count(&list); i++) {
		struct json_place item;
		struct error err;
		const char *text = "";
		capability_set set = 0;

		json_item(&list, i, &item);
		if (json_get_string(&item, &text, &err) == 0)
			capability_parse_list(text, &set, &err);
		missing &= ~set;
	}
	if (missing == 0)
		return;
	capability_put_set(&shown, missing);
	note(notes, "the module's imports need ", shown.text,
	     ", which the manifest's capabilities do not grant");
	strbuf_done(&shown);
}

json_value *
manifest_merge(const json_value *edited, const struct manifest_facts *facts, struct strv *notes)
{
	static const char *const order[] = {
		"schema_version", "name",	  "version", "description", "entry",
		"capabilities",	  "wasi_imports", "tools",   "resources",   "resourceTemplates",
		"prompts",
	};
	json_value *merged = json_new_object();
	struct json_place merged_place = JSON_PLACE_OF(merged);
	struct json_place edited_place = JSON_PLACE_OF(edited);
	struct json_place section = JSON_PLACE_OF(facts->section);
	struct json_place member = { 0 };

	while (edited != NULL && json_next_member(&edited_place, &member))
		json_set(merged, member.name, json_share(member.value));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		bool is_fact = str_equal(order[i], "wasi_imports");
		json_value *value;

		if (json_member(&merged_place, order[i], &member) && !is_fact)
			continue;
		if (facts->section != NULL && !is_fact && json_member(&section, order[i], &member))
			value = json_share(member.value);
		else
			value = make_field(order[i], facts);
		if (value != NULL)
			json_set(merged, order[i], value);
	}
	note_tools(&merged_place, facts, notes);
	note_capabilities(&merged_place, facts, notes);
	return merged;
}

void
manifest_write(struct strbuf *out, const json_value *manifest)
{
	json_write(out, manifest, JSON_STYLE_INDENTED);
	strbuf_putc(out, '\n');
}

/* `temporary` gets the text, then takes the place of `path`. */
static int
write_and_rename(const char *temporary, const char *path, const struct strbuf *text, mode_t mode)
{
	_cleanup_fd_ int fd =
	    open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	int r;

	if (fd < 0)
		return -errno;
	r = mode != 0 && fchmod(fd, mode) < 0 ? -errno : 0;
	if (r == 0)
		r = fd_write_all(fd, text->text, text->length);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

int
manifest_save(const char *path, const json_value *manifest, struct error *err)
{
	/* Where the file is a symlink, what it leads to is replaced. */
	_cleanup_free_ char *real = realpath(path, NULL);
	const char *target = real != NULL ? real : path;
	_cleanup_free_ char *temporary = mem_printf("%s.%d.tmp", target, (int)getpid());
	struct strbuf text = STRBUF_INIT;
	struct stat st;
	mode_t mode = stat(target, &st) == 0 ? st.st_mode & 0777 : 0;
	int r;

	manifest_write(&text, manifest);
	r = write_and_rename(temporary, target, &text, mode);
	strbuf_done(&text);
	return r < 0 ? error_set_errno(err, r, "%s cannot be written", path) : 0;
}
