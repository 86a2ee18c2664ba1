/* porta inspect: what a WASM module says of itself. */
#include <inttypes.h>

#include "cli/command.h"
#include "cli/output.h"
#include "util/mem.h"
#include "wasm/agent.h"

static void
put_shown(struct strbuf *out, const char *text)
{
	strbuf_put_printable(out, text);
}

/* What an import needs: a capability's name, or why no flag grants it. */
static const char *
need_of(const struct facts_import *import)
{
	struct import_verdict verdict;

	capability_of_import(import->module, import->name, str_equal(import->kind, "function"),
			     &verdict);
	switch (verdict.kind) {
	case IMPORT_KNOWN:
		return capability_name(verdict.capability);
	case IMPORT_UNKNOWN_FUNCTION:
		return "unknown function";
	case IMPORT_OLD_WASI:
		return "WASI preview 0, refused";
	case IMPORT_COMPONENT:
		return "component interface, refused";
	case IMPORT_OTHER_MODULE:
		return "unknown module, refused";
	case IMPORT_NOT_FUNCTION:
		return "no function, refused";
	}
	return "";
}

static void
put_imports(const struct facts *facts, struct strbuf *out)
{
	strbuf_printf(out, "\nImports (%zu)\n", facts->imports_count);
	for (size_t i = 0; i < facts->imports_count; i++) {
		const struct facts_import *import = &facts->imports[i];

		strbuf_printf(out, "  %-9s ", need_of(import));
		put_shown(out, import->module);
		strbuf_putc(out, '.');
		put_shown(out, import->name);
		strbuf_putc(out, '\n');
	}
}

static void
put_exports(const struct facts *facts, struct strbuf *out)
{
	strbuf_printf(out, "\nExports (%zu)\n", facts->exports_count);
	for (size_t i = 0; i < facts->exports_count; i++) {
		strbuf_printf(out, "  %-10s", facts->exports[i].kind);
		put_shown(out, facts->exports[i].name);
		strbuf_putc(out, '\n');
	}
}

static void
put_memories(const struct facts *facts, struct strbuf *out)
{
	for (size_t i = 0; i < facts->memories_count; i++) {
		const struct facts_memory *memory = &facts->memories[i];

		strbuf_printf(out, "Memory    %" PRId64 " pages of 64 KiB at the start",
			      memory->minimum_pages);
		if (memory->maximum_pages >= 0)
			strbuf_printf(out, ", %" PRId64 " at most", memory->maximum_pages);
		strbuf_puts(out, memory->is_imported ? ", imported\n" : "\n");
	}
}

static void
put_sections(const struct facts *facts, struct strbuf *out)
{
	if (facts->sections_count == 0)
		return;
	strbuf_printf(out, "\nCustom sections (%zu)\n", facts->sections_count);
	for (size_t i = 0; i < facts->sections_count; i++) {
		strbuf_printf(out, "  %-10" PRId64, facts->sections[i].bytes);
		put_shown(out, facts->sections[i].name);
		strbuf_putc(out, '\n');
	}
}

static capability_set
needed(const struct facts *facts)
{
	capability_set set = 0;

	for (size_t i = 0; i < facts->imports_count; i++) {
		const struct facts_import *import = &facts->imports[i];
		struct import_verdict verdict;

		capability_of_import(import->module, import->name,
				     str_equal(import->kind, "function"), &verdict);
		if (verdict.kind == IMPORT_KNOWN)
			set |= 1U << verdict.capability;
	}
	return set;
}

static void
put_text(const struct agent *agent, const char *hash, struct strbuf *out)
{
	const struct facts *facts = &agent->facts;

	strbuf_puts(out, "File      ");
	put_shown(out, agent->path);
	strbuf_printf(out, "\nSize      %" PRIu64 " bytes\nSHA-256   %s\nKind      %s\n",
		      agent->module.size, hash, facts->is_component ? "component" : "module");
	if (facts->is_component)
		return;
	if (facts->name != NULL) {
		strbuf_puts(out, "Name      ");
		put_shown(out, facts->name);
		strbuf_putc(out, '\n');
	}
	strbuf_printf(out, "Functions %" PRId64 "%s\n", facts->functions,
		      facts->has_start ? ", one of which runs at the start" : "");
	put_memories(facts, out);
	strbuf_puts(out, "Needs     ");
	capability_put_set(out, needed(facts));
	strbuf_putc(out, '\n');
	put_imports(facts, out);
	put_exports(facts, out);
	put_sections(facts, out);
}

/* The facts as the worker told them, with the file's own, and what each import needs. */
static void
put_json(const struct agent *agent, const char *hash, struct strbuf *out)
{
	const struct facts *facts = &agent->facts;
	_cleanup_json_ json_value *object = json_new_object();
	struct json_place root = JSON_PLACE_OF(facts->root);
	struct json_place member = { 0 };
	json_value *imports = json_new_array();

	json_set(object, "file", json_new_string(agent->path));
	json_set(object, "bytes", json_new_integer((int64_t)agent->module.size));
	json_set(object, "sha256", json_new_string(hash));
	while (json_next_member(&root, &member))
		json_set(object, member.name, json_share(member.value));
	for (size_t i = 0; i < facts->imports_count; i++) {
		const struct facts_import *import = &facts->imports[i];
		struct import_verdict verdict;
		json_value *item = json_new_object();

		capability_of_import(import->module, import->name,
				     str_equal(import->kind, "function"), &verdict);
		json_set(item, "module", json_new_string(import->module));
		json_set(item, "name", json_new_string(import->name));
		json_set(item, "kind", json_new_string(import->kind));
		if (verdict.kind == IMPORT_KNOWN)
			json_set(item, "capability",
				 json_new_string(capability_name(verdict.capability)));
		json_append(imports, item);
	}
	json_set(object, "imports", imports);
	json_write(out, object, JSON_STYLE_INDENTED);
	strbuf_putc(out, '\n');
}

static int
inspect(const struct command_arguments *arguments, struct strbuf *out, struct error *err)
{
	char hash[MODULE_HASH_HEX_BYTES];
	struct agent agent;
	int r;

	agent_init(&agent, arguments->word, NULL);
	/* What lies beside the module says nothing of it. */
	r = module_open(arguments->word, &agent.module, err);
	if (r == 0)
		r = agent_inspect(&agent, err);
	if (r == 0) {
		module_put_hex(agent.module.hash, hash);
		if (arguments->json)
			put_json(&agent, hash, out);
		else
			put_text(&agent, hash, out);
	}
	agent_done(&agent);
	return r;
}

static int
run_inspect(int argc, char **argv)
{
	struct command_arguments arguments;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int r = -EXIT_CODE_FAILED;

	if (command_parse_arguments(&command_inspect, argc, argv, &arguments, &err) == 0) {
		r = 0;
		if (arguments.help)
			command_write_help(&command_inspect, &text);
		else
			r = inspect(&arguments, &text, &err);
	}
	r = r < 0 ? output_fail("inspect", &err, -r) : output_print(&text);
	strbuf_done(&text);
	return r;
}

const struct command command_inspect = {
	.name = "inspect",
	.form = "<agent.wasm> [--json]",
	.summary = "show what a WASM module says of itself",
	.usage = "Shows the imports of a WASM module and the capability that each needs, its\n"
		 "exports, memory, custom sections, size and SHA-256. The module is checked and\n"
		 "not run; a confined process reads it.\n"
		 "\n"
		 "  --json    as a JSON object\n",
	.has_json = true,
	.takes_file = true,
	.run = run_inspect,
};
