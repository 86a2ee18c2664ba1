/*
 * Fuzzes the manifest and the JSON below it: what parses is written and reads as the same, a merge
 * makes a manifest that parses, and a second merge changes nothing.
 */
#include <stdint.h>
#include <string.h>

#include "config/manifest.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_message(const struct error *err)
{
	assert(err->message[0] != '\0');
	for (const char *c = err->message; *c != '\0'; c++)
		assert((unsigned char)*c >= 0x20);
}

/* Of the text of a manifest, the text of what a build would write. */
static char *
merged_text(const char *text, size_t length, struct error *err)
{
	static const struct manifest_import imports[] = {
		{ "wasi_snapshot_preview1", "random_get" },
		{ "porta", "emit" },
	};
	static const char *const functions[] = { "_start", "add" };
	const struct manifest_facts facts = { .name = "agent",
					      .imports = imports,
					      .imports_count = 2,
					      .functions = functions,
					      .functions_count = 2 };
	struct strbuf out = STRBUF_INIT;
	struct strv notes = STRV_INIT;
	struct manifest manifest;

	manifest_init(&manifest);
	if (manifest_parse(&manifest, text, length, err) == 0) {
		_cleanup_json_ json_value *merged = manifest_merge(manifest.root, &facts, &notes);

		manifest_write(&out, merged);
	}
	strv_done(&notes);
	manifest_done(&manifest);
	return out.text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An own copy without a NUL behind it, so that reading beyond it is seen. */
	_cleanup_free_ char *text = mem_zalloc(size > 0 ? size : 1, 1);
	_cleanup_free_ char *merged = NULL;
	_cleanup_free_ char *again = NULL;
	struct error err = ERROR_INIT;

	if (size > 0)
		memcpy(text, data, size);
	merged = merged_text(text, size, &err);
	if (merged == NULL) {
		check_message(&err);
		return 0;
	}
	again = merged_text(merged, strlen(merged), &err);
	assert(again != NULL && strcmp(merged, again) == 0);
	return 0;
}
