/*
 * What a WASM module says of itself, as a confined worker read it: JSON (rust/facts), never trusted.
 *
 *     {"kind": "component"}
 *     {"kind": "module", "name": TEXT, "functions": N, "has_start": BOOL,
 *      "imports": [{"module", "name", "kind"}], "exports": [{"name", "kind"}],
 *      "memories": [{"minimum", "maximum", "imported", "shared"}], "sections": [{"name", "bytes"}],
 *      "manifest": TEXT}
 *
 * "name", "maximum" and "manifest" (the custom section porta.manifest) may be missing; a kind is
 * "function", "table", "memory", "global" or "tag"; memory is in pages of 64 KiB.
 */
#ifndef PORTA_WASM_FACTS_H
#define PORTA_WASM_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/capability.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strings.h"

#define FACTS_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* All texts are UTF-8 without NUL, not fit to be printed as they are, and the JSON's. */
struct facts_import {
	const char *module;
	const char *name;
	const char *kind;
};

struct facts_export {
	const char *name;
	const char *kind;
};

struct facts_memory {
	int64_t minimum_pages;
	int64_t maximum_pages; /* -1: none */
	bool is_imported;
	bool is_shared;
};

struct facts_section {
	const char *name;
	int64_t bytes;
};

struct facts {
	json_value *root;
	bool is_component; /* then nothing else is set */
	const char *name;  /* NULL: none */
	int64_t functions;
	bool has_start; /* a function that runs while it is instantiated */
	struct facts_import *imports;
	size_t imports_count;
	struct facts_export *exports;
	size_t exports_count;
	struct facts_memory *memories;
	size_t memories_count;
	struct facts_section *sections;
	size_t sections_count;
	const char *manifest; /* NULL: none */
};

#define FACTS_INIT { .root = NULL }

void facts_done(struct facts *facts);
/* Checks the whole. `ret_facts` is FACTS_INIT. -EINVAL with a sentence where it is not that JSON. */
int facts_parse(const char *text, size_t length, struct facts *ret_facts, struct error *err);

bool facts_exports_function(const struct facts *facts, const char *name);
/* Whether it can reach a file: it imports a function that takes a path, or lists a directory. */
bool facts_reaches_files(const struct facts *facts);
/* A sentence for each import that `granted` refuses (capability_refusal), in their order. */
void facts_put_refusals(const struct facts *facts, capability_set granted, struct strv *out);

#endif
