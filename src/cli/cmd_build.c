/* porta build: writes agent.manifest.json. */
#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "util/mem.h"
#include "util/path.h"
#include "wasm/agent.h"

/* "agent" of "dir/agent.wasm": what an agent is called whose module has no name. */
static char *
name_of(const char *path)
{
	const char *base = path_basename(path);
	size_t length = strlen(base);

	if (str_ends_with(base, ".wasm"))
		length -= strlen(".wasm");
	return mem_strndup(base, length);
}

static int
parse_section(const struct facts *facts, json_value **ret_section, struct error *err)
{
	static const struct json_limits limits = { .bytes_max = MANIFEST_MAX_BYTES,
						   .depth_max = MANIFEST_DEPTH_MAX };

	if (facts->manifest == NULL)
		return 0;
	return json_parse(facts->manifest, strlen(facts->manifest), &limits, ret_section, err);
}

/* Only functions count, and only those that porta knows: the others are refused at a run. */
static size_t
collect_imports(const struct facts *facts, struct manifest_import *imports)
{
	size_t count = 0;

	for (size_t i = 0; i < facts->imports_count; i++) {
		if (str_equal(facts->imports[i].kind, "function"))
			imports[count++] = (struct manifest_import){ facts->imports[i].module,
								     facts->imports[i].name };
	}
	return count;
}

static size_t
collect_functions(const struct facts *facts, const char **functions)
{
	size_t count = 0;

	for (size_t i = 0; i < facts->exports_count; i++) {
		if (str_equal(facts->exports[i].kind, "function"))
			functions[count++] = facts->exports[i].name;
	}
	return count;
}

static int
write_manifest(const struct agent *agent, struct strv *notes, struct error *err)
{
	const struct facts *facts = &agent->facts;
	_cleanup_free_ struct manifest_import *imports =
	    mem_zalloc(facts->imports_count + 1, sizeof(*imports));
	_cleanup_free_ const char **functions =
	    mem_zalloc(facts->exports_count + 1, sizeof(*functions));
	_cleanup_free_ char *name = name_of(agent->path);
	_cleanup_free_ char *path = manifest_path_of(agent->path);
	_cleanup_json_ json_value *section = NULL;
	_cleanup_json_ json_value *merged = NULL;
	struct manifest_facts said = { .name = name, .imports = imports, .functions = functions };
	int r = parse_section(facts, &section, err);

	if (r < 0)
		return error_wrap(err, r, "the module's section porta.manifest");
	said.imports_count = collect_imports(facts, imports);
	said.functions_count = collect_functions(facts, functions);
	said.section = section;
	merged = manifest_merge(agent->manifest.root, &said, notes);
	return manifest_save(path, merged, err);
}

static int
build(struct agent *agent, struct strbuf *out, struct error *err)
{
	_cleanup_free_ char *path = manifest_path_of(agent->path);
	struct strv notes = STRV_INIT;
	bool is_new;
	int r = agent_open(agent, err);

	if (r < 0)
		return r;
	is_new = !agent->has_manifest;
	/* What the module carries is merged below: here only a file counts as edited. */
	agent->has_manifest = true;
	r = agent_inspect(agent, err);
	if (r == 0 && agent->facts.is_component)
		r = agent_check_facts(agent, err);
	if (r < 0)
		return r;
	if (write_manifest(agent, &notes, err) < 0) {
		strv_done(&notes);
		return -EXIT_CODE_FAILED;
	}
	for (size_t i = 0; i < agent->notes.count; i++)
		strbuf_printf(out, "%s\n", agent->notes.items[i]);
	for (size_t i = 0; i < notes.count; i++)
		strbuf_printf(out, "%s\n", notes.items[i]);
	strbuf_printf(out, "%s %s\n", is_new ? "wrote" : "updated", path);
	strv_done(&notes);
	return 0;
}

static int
run_build(int argc, char **argv)
{
	struct command_arguments arguments;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct agent agent;
	int r = -EXIT_CODE_FAILED;

	agent_init(&agent, NULL, NULL);
	if (command_parse_arguments(&command_build, argc, argv, &arguments, &err) == 0) {
		agent.path = arguments.word;
		r = 0;
		if (arguments.help)
			command_write_help(&command_build, &text);
		else
			r = build(&agent, &text, &err);
	}
	r = r < 0 ? output_fail("build", &err, -r) : output_print(&text);
	agent_done(&agent);
	strbuf_done(&text);
	return r;
}

const struct command command_build = {
	.name = "build",
	.form = "<agent.wasm>",
	.summary = "write the manifest of a WASM agent",
	.usage = "Writes agent.manifest.json beside agent.wasm: what the agent is called, which\n"
		 "capabilities it needs, and its tools, from what the module says of itself.\n"
		 "What a person has edited in a manifest that is there stays as it is.\n",
	.takes_file = true,
	.run = run_build,
};
