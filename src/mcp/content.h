/* Content blocks: text, images, audio, resources, links to them (MCP: ContentBlock). */
#ifndef PORTA_MCP_CONTENT_H
#define PORTA_MCP_CONTENT_H

#include "mcp/version.h"
#include "util/error.h"
#include "util/json.h"

/*
 * The block as the version knows it: what its schema lacks becomes text. NULL, with the place and what is wrong,
 * where it is none.
 */
json_value *content_block(const struct json_place *block, enum mcp_version version,
			  struct error *err);
/* An array of them. */
json_value *content_list(const struct json_place *list, enum mcp_version version,
			 struct error *err);
/* {"uri", "mimeType", "text" or "blob"}; NULL as above. */
json_value *content_resource(const struct json_place *resource, struct error *err);
json_value *content_text(const char *text, size_t length);

#endif
