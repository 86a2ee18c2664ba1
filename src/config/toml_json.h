/*
 * What porta-toml writes and porta reads: one JSON object, either
 *
 *	{"error":"...","line":3,"column":7}
 *	{"nodes":[{"path":["sandbox","mounts"],"kind":"array","line":2,"column":1,"items":[...]},...]}
 *
 * A node that is no table or array has "value" (a string, a boolean, an integer as its digits); an item is
 * such a node without a path. Lines and columns count from 1; 0: not
 * known.
 */
#ifndef PORTA_CONFIG_TOML_JSON_H
#define PORTA_CONFIG_TOML_JSON_H

#include "util/strings.h"

/* Of a porta.toml. */
#define TOML_BYTES_MAX ((size_t)256 * 1024)
/* Keys and items. */
#define TOML_NODES_MAX 8192
/* Of what porta-toml writes: an escaped byte is six, and each node has some of its own. */
#define TOML_JSON_BYTES_MAX (TOML_BYTES_MAX * 6 + (size_t)TOML_NODES_MAX * 512)

/* Appends that object for a document. In porta-toml alone, as toml_shim.h. */
void toml_json_put(struct strbuf *out, const char *text, size_t length);
void toml_json_put_error(struct strbuf *out, const char *why, unsigned int line, unsigned int column);

#endif
