/* What a module says of itself; see facts.h. */
#include "wasm/facts.h"

#include <errno.h>
#include <limits.h>

#include "util/mem.h"

#define FACTS_DEPTH_MAX 4

void
facts_done(struct facts *facts)
{
	json_free(facts->root);
	free(facts->imports);
	free(facts->exports);
	free(facts->memories);
	free(facts->sections);
	*facts = (struct facts)FACTS_INIT;
}

/* A member that has to be there. */
static int
get_member(const struct json_place *object, const char *name, struct json_place *ret_member,
	   struct error *err)
{
	if (!json_member(object, name, ret_member))
		return error_set(err, -EINVAL, "'%s' is missing", name);
	return 0;
}

static int
get_text(const struct json_place *object, const char *name, const char **ret_text,
	 struct error *err)
{
	struct json_place member;
	int r = get_member(object, name, &member, err);

	return r < 0 ? r : json_get_string(&member, ret_text, err);
}

static int
get_number(const struct json_place *object, const char *name, int64_t *ret_number,
	   struct error *err)
{
	struct json_place member;
	int r = get_member(object, name, &member, err);

	return r < 0 ? r : json_get_integer(&member, 0, INT64_MAX, ret_number, err);
}

static int
get_bool(const struct json_place *object, const char *name, bool *ret_value, struct error *err)
{
	struct json_place member;
	int r = get_member(object, name, &member, err);

	return r < 0 ? r : json_get_bool(&member, ret_value, err);
}

static int
read_import(const struct json_place *item, void *storage, struct error *err)
{
	struct facts_import *import = storage;
	int r = get_text(item, "module", &import->module, err);

	if (r == 0)
		r = get_text(item, "name", &import->name, err);
	return r < 0 ? r : get_text(item, "kind", &import->kind, err);
}

static int
read_export(const struct json_place *item, void *storage, struct error *err)
{
	struct facts_export *export = storage;
	int r = get_text(item, "name", &export->name, err);

	return r < 0 ? r : get_text(item, "kind", &export->kind, err);
}

static int
read_memory(const struct json_place *item, void *storage, struct error *err)
{
	struct facts_memory *memory = storage;
	struct json_place maximum;
	int r = get_number(item, "minimum", &memory->minimum_pages, err);

	if (r == 0)
		r = get_bool(item, "imported", &memory->is_imported, err);
	if (r == 0)
		r = get_bool(item, "shared", &memory->is_shared, err);
	memory->maximum_pages = -1;
	if (r == 0 && json_member(item, "maximum", &maximum))
		r = json_get_integer(&maximum, 0, INT64_MAX, &memory->maximum_pages, err);
	return r;
}

static int
read_section(const struct json_place *item, void *storage, struct error *err)
{
	struct facts_section *section = storage;
	int r = get_text(item, "name", &section->name, err);

	return r < 0 ? r : get_number(item, "bytes", &section->bytes, err);
}

/* An array of objects into an array of structs. */
static int
read_list(const struct json_place *root, const char *name, size_t size,
	  int (*read)(const struct json_place *, void *, struct error *), void **ret_items,
	  size_t *ret_count, struct error *err)
{
	struct json_place list;
	size_t count;
	int r = get_member(root, name, &list, err);

	if (r == 0)
		r = json_expect(&list, JSON_KIND_ARRAY, err);
	if (r < 0)
		return r;
	count = json_count(&list);
	*ret_items = mem_zalloc(count + 1, size);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct json_place item;

		json_item(&list, i, &item);
		r = json_expect(&item, JSON_KIND_OBJECT, err);
		if (r == 0)
			r = read(&item, (char *)*ret_items + i * size, err);
	}
	*ret_count = count;
	return r;
}

static int
read_module(struct facts *facts, const struct json_place *root, struct error *err)
{
	struct json_place member;
	int r = get_number(root, "functions", &facts->functions, err);

	if (r == 0)
		r = get_bool(root, "has_start", &facts->has_start, err);
	if (r == 0 && json_member(root, "name", &member))
		r = json_get_string(&member, &facts->name, err);
	if (r == 0 && json_member(root, "manifest", &member))
		r = json_get_string(&member, &facts->manifest, err);
	if (r == 0)
		r = read_list(root, "imports", sizeof(*facts->imports), read_import,
			      (void **)&facts->imports, &facts->imports_count, err);
	if (r == 0)
		r = read_list(root, "exports", sizeof(*facts->exports), read_export,
			      (void **)&facts->exports, &facts->exports_count, err);
	if (r == 0)
		r = read_list(root, "memories", sizeof(*facts->memories), read_memory,
			      (void **)&facts->memories, &facts->memories_count, err);
	if (r == 0)
		r = read_list(root, "sections", sizeof(*facts->sections), read_section,
			      (void **)&facts->sections, &facts->sections_count, err);
	return r;
}

int
facts_parse(const char *text, size_t length, struct facts *ret_facts, struct error *err)
{
	static const struct json_limits limits = { .bytes_max = FACTS_BYTES_MAX,
						   .depth_max = FACTS_DEPTH_MAX };
	struct facts facts = FACTS_INIT;
	struct json_place root;
	const char *kind;
	int r;

	r = json_parse(text, length, &limits, &facts.root, err);
	if (r == 0) {
		root = (struct json_place)JSON_PLACE_OF(facts.root);
		r = json_expect(&root, JSON_KIND_OBJECT, err);
	}
	if (r == 0)
		r = get_text(&root, "kind", &kind, err);
	if (r == 0) {
		facts.is_component = str_equal(kind, "component");
		if (!facts.is_component)
			r = read_module(&facts, &root, err);
	}
	if (r < 0)
		facts_done(&facts);
	else
		*ret_facts = facts;
	return r;
}

bool
facts_exports_function(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->exports_count; i++) {
		if (str_equal(facts->exports[i].name, name))
			return str_equal(facts->exports[i].kind, "function");
	}
	return false;
}

static bool
is_function(const struct facts_import *import)
{
	return str_equal(import->kind, "function");
}

bool
facts_reaches_files(const struct facts *facts)
{
	for (size_t i = 0; i < facts->imports_count; i++) {
		const char *name = facts->imports[i].name;

		if (str_starts_with(name, "path_") || str_equal(name, "fd_readdir"))
			return true;
	}
	return false;
}

void
facts_put_refusals(const struct facts *facts, capability_set granted, struct strv *out)
{
	for (size_t i = 0; i < facts->imports_count; i++) {
		const struct facts_import *import = &facts->imports[i];
		struct strbuf sentence = STRBUF_INIT;

		if (capability_refusal(import->module, import->name, is_function(import), granted,
				       &sentence))
			strv_take(out, strbuf_take(&sentence));
		strbuf_done(&sentence);
	}
}
