/*
 * What a served agent offers: its tools, resources, templates and prompts, and porta's own tools. From
 * the manifest, else what `_describe` answers, else the exported functions (GUEST: tools).
 */
#ifndef PORTA_MCP_CATALOG_H
#define PORTA_MCP_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/manifest.h"
#include "mcp/version.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "wasm/facts.h"

/* Items of one answer to a list request. */
#define CATALOG_PAGE_ITEMS 100

struct porta_schema;

enum tool_origin {
	TOOL_OF_ENTRY,	  /* the module's entry dispatches it */
	TOOL_OF_FUNCTION, /* an exported function of the same name */
	TOOL_EXEC,	  /* porta.exec */
	TOOL_HTTP,	  /* porta.http */
};

/* A parameter that a client mirrors in an HTTP header (MCP 2026-07-28: x-mcp-header). */
struct catalog_header {
	char *name;	   /* "Mcp-Param-Region" */
	struct strv path; /* of members of the arguments */
};

struct catalog_tool {
	const char *name;
	enum tool_origin origin;
	json_value *definition;	      /* what the manifest says; listed as each version has it */
	struct porta_schema *input;   /* NULL: anything goes */
	struct porta_schema *output;  /* NULL: it has no outputSchema */
	bool output_is_object;	      /* as versions before 2026-07-28 want it */
	struct catalog_header *headers;
	size_t headers_count;
};

enum catalog_kind {
	CATALOG_TOOLS,
	CATALOG_RESOURCES,
	CATALOG_TEMPLATES,
	CATALOG_PROMPTS,
	CATALOG_KIND_COUNT,
};

struct catalog {
	struct catalog_tool *tools;
	size_t tools_count;
	struct manifest described; /* of `_describe`; else empty */
	const struct manifest *manifest; /* the source of all but tools: `described`, or the agent's */
	json_value *lists[CATALOG_KIND_COUNT]; /* arrays; of tools: NULL */
	json_value *server_info;	       /* what the server is: its name and version */
};

struct catalog_source {
	const char *path; /* of the module */
	const struct manifest *manifest; /* stays the caller's as long as the catalog is there */
	const struct facts *facts;
	const char *described; /* what `_describe` answered, NULL: nothing */
	size_t described_length;
	const struct policy *policy;
	capability_set granted;
};

/*
 * Whether `_describe` is to be asked: neither the manifest nor a section says which tools there are.
 */
bool catalog_needs_description(const struct manifest *manifest);
/*
 * Makes it; -EINVAL and a sentence that names the tool where a schema is of no use. `ret_catalog` is zeroed;
 * catalog_done in each case. `notes` gets sentences that a person should hear.
 */
int catalog_make(struct catalog *ret_catalog, const struct catalog_source *source,
		 struct strv *notes, struct error *err);
void catalog_done(struct catalog *catalog);

const struct catalog_tool *catalog_find_tool(const struct catalog *catalog, const char *name);
const struct manifest_prompt *catalog_find_prompt(const struct catalog *catalog, const char *name);
/* Whether it offers resources or templates, prompts, something to be completed. */
bool catalog_has_resources(const struct catalog *catalog);
bool catalog_has_prompts(const struct catalog *catalog);
bool catalog_has_completions(const struct catalog *catalog);

/* Implementation of MCP: all that the agent says of itself, as far as the version has it. */
json_value *catalog_new_server_info(const struct catalog *catalog, enum mcp_version version);

/* "tools", "resources"...: the member of an answer. */
const char *catalog_kind_name(enum catalog_kind kind);
/*
 * One page, as the version knows its items, into `result`; `cursor` NULL: the first. -EINVAL for a
 * cursor that this does not give.
 */
int catalog_put_page(const struct catalog *catalog, enum catalog_kind kind,
		     enum mcp_version version, const char *cursor, json_value *result);

#endif
