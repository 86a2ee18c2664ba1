/*
 * agent.manifest.json: what an agent is called, needs and offers (GUEST: the agent protocol). Also
 * the form of a module's custom section "porta.manifest".
 *
 * Every field may be missing. One that is not known is told as a warning and kept; one of the wrong
 * type, or that says something impossible, is an error with its place.
 */
#ifndef PORTA_CONFIG_MANIFEST_H
#define PORTA_CONFIG_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/capability.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strings.h"

#define MANIFEST_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define MANIFEST_DEPTH_MAX 100
/* Of tools, of resources, of a prompt's arguments... */
#define MANIFEST_ITEMS_MAX	     1024
#define MANIFEST_TOOL_NAME_MAX_BYTES 128
#define MANIFEST_WARNINGS_MAX	     20

struct manifest_tool {
	const char *name;
	const char *description;  /* "" where there is none */
	const json_value *record; /* the whole: each field of it that is known is what it should be */
};

struct manifest_resource {
	const char *uri; /* of a template: its uriTemplate */
	const char *name;
	const char *description; /* "" where there is none */
	const char *mime_type;	 /* NULL: not told */
	const json_value *record;
};

struct manifest_argument {
	const char *name;
	const char *description; /* "" where there is none */
	bool required;
};

struct manifest_prompt {
	const char *name;
	const char *description; /* "" where there is none */
	struct manifest_argument *arguments;
	size_t arguments_count;
	const json_value *record;
};

struct manifest {
	json_value *root;    /* the whole, with the fields that are not known; all texts are its */
	const char *name;    /* NULL: the module's */
	const char *version; /* "0.1.0" */
	const char *description; /* "" */
	const char *entry;	 /* the function that runs the agent: "_start" */
	bool has_capabilities;	 /* false: what is granted is for the command to say */
	capability_set capabilities;
	bool has_tools; /* an empty list of tools is one: then there are none */
	struct manifest_tool *tools;
	size_t tools_count;
	struct manifest_resource *resources;
	size_t resources_count;
	struct manifest_resource *resource_templates;
	size_t resource_templates_count;
	struct manifest_prompt *prompts;
	size_t prompts_count;
	struct strv warnings; /* sentences */
};

void manifest_init(struct manifest *manifest);
void manifest_done(struct manifest *manifest);
/* Into an initialized manifest, which is left as it was on failure. -EINVAL or -E2BIG, a sentence.
 */
int manifest_parse(struct manifest *manifest, const char *text, size_t length, struct error *err);
/* manifest_parse of a file; -ENOENT where there is none. */
int manifest_load(struct manifest *manifest, const char *path, struct error *err);

/* "dir/agent.wasm" has its manifest at "dir/agent.manifest.json". The caller frees it. */
char *manifest_path_of(const char *module_path);
/*
 * Whether an exported function may be a tool: its name has no "_" in front, is none of those that
 * compilers export for themselves (memory, malloc...), and MCP takes it as a tool's.
 */
bool manifest_is_tool_name(const char *name);

/* What a module says of itself. */
struct manifest_facts {
	const char *name; /* UTF-8 */
	const struct manifest_import {
		const char *module;
		const char *name;
	} * imports; /* functions */
	size_t imports_count;
	const char *const *functions; /* exported */
	size_t functions_count;
	const json_value *section; /* the custom section's, NULL: none */
};

/*
 * A manifest to write: `edited` (NULL: there is none yet), whose fields stay as they are and where
 * they are, but for wasi_imports, which is the module's; behind them what is missing, from the
 * custom section or else from the facts. `notes` gets sentences on where the two do not agree. The
 * caller frees it.
 */
json_value *manifest_merge(const json_value *edited, const struct manifest_facts *facts,
			   struct strv *notes);
/* Two blanks a level, a newline at the end. */
void manifest_write(struct strbuf *out, const json_value *manifest);
/* Writes a file whole or not at all; one that is there keeps its mode. */
int manifest_save(const char *path, const json_value *manifest, struct error *err);

#endif
