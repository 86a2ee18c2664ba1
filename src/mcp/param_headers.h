/*
 * Parameters of tools that clients repeat in HTTP headers, so that what stands between can see them
 * (MCP 2026-07-28, Streamable HTTP: custom headers from tool parameters).
 */
#ifndef PORTA_MCP_PARAM_HEADERS_H
#define PORTA_MCP_PARAM_HEADERS_H

#include "mcp/catalog.h"
#include "util/error.h"
#include "util/json.h"

/* Finds what an inputSchema marks with x-mcp-header. -EINVAL and a sentence where a mark is not allowed. */
int param_headers_find(const json_value *schema, struct catalog_header **ret_headers,
		       size_t *ret_count, struct error *err);
void param_headers_done(struct catalog_header *headers, size_t count);

/*
 * Whether a header's value, NULL where it is missing, says what stands in `arguments`. `name` is for
 * the sentence.
 */
bool param_header_matches(const struct catalog_header *header, const json_value *arguments,
			  const char *value, struct error *err);
/* Whether it says the text: as it is, or in Base64 ("=?base64?...?="). */
bool param_header_says(const char *value, const char *text);

#endif
