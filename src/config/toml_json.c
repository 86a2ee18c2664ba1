/* What porta-toml writes; see toml_json.h. */
#include "config/toml_json.h"

#include <stdio.h>
#include <string.h>

#include "config/toml_shim.h"

static const char *const kind_names[] = {
	[TOML_TABLE] = "table",	  [TOML_ARRAY] = "array",     [TOML_STRING] = "string", [TOML_INTEGER] = "integer",
	[TOML_FLOAT] = "float",	  [TOML_BOOLEAN] = "boolean", [TOML_OTHER] = "other",
};
static_assert(ARRAY_SIZE(kind_names) == TOML_KIND_COUNT, "a name for each kind");

struct writer {
	struct strbuf *out;
	size_t nodes;
	bool in_array; /* the last node was one, or an item of it: "items" is open */
	bool is_refused;
	struct toml_error refusal;
};

static void
put_value(struct strbuf *out, const struct toml_node *node)
{
	switch (node->kind) {
	case TOML_STRING:
		strbuf_puts(out, ",\"value\":");
		strbuf_put_json_bytes(out, node->text, node->length);
		break;
	case TOML_INTEGER:
		strbuf_printf(out, ",\"value\":\"%lld\"", (long long)node->integer);
		break;
	case TOML_BOOLEAN:
		strbuf_printf(out, ",\"value\":%s", node->boolean ? "true" : "false");
		break;
	default:
		break;
	}
}

static void
end_array(struct writer *writer)
{
	if (writer->in_array)
		strbuf_puts(writer->out, "]}");
	writer->in_array = false;
}

/* What is TOML, and yet nothing that porta takes. Ends the walk. */
static bool
refuse(struct writer *writer, const struct toml_node *node, const char *why)
{
	writer->is_refused = true;
	writer->refusal.line = node->line;
	writer->refusal.column = node->column;
	snprintf(writer->refusal.message, sizeof(writer->refusal.message), "%s", why);
	return false;
}

static bool
write_node(const struct toml_node *node, void *data)
{
	struct writer *writer = data;
	struct strbuf *out = writer->out;

	if (++writer->nodes > TOML_NODES_MAX)
		return refuse(writer, node, "more keys and values than porta reads");
	if (node->kind == TOML_STRING && memchr(node->text, '\0', node->length) != NULL)
		return refuse(writer, node, "a NUL character in a string");
	if (!node->is_item)
		end_array(writer);
	/* Behind another of its kind; the first of an array or of all has none before it. */
	if (out->text[out->length - 1] != '[')
		strbuf_putc(out, ',');
	strbuf_putc(out, '{');
	if (!node->is_item) {
		strbuf_puts(out, "\"path\":[");
		for (size_t i = 0; i < node->path_count; i++) {
			strbuf_puts(out, i > 0 ? "," : "");
			strbuf_put_json(out, node->path[i]);
		}
		strbuf_puts(out, "],");
	}
	strbuf_printf(out, "\"kind\":\"%s\",\"line\":%u,\"column\":%u", kind_names[node->kind], node->line,
		      node->column);
	put_value(out, node);
	if (node->kind == TOML_ARRAY) {
		strbuf_puts(out, ",\"items\":[");
		writer->in_array = true;
		return true;
	}
	strbuf_putc(out, '}');
	return true;
}

void
toml_json_put_error(struct strbuf *out, const char *why, unsigned int line, unsigned int column)
{
	strbuf_puts(out, "{\"error\":");
	strbuf_put_json(out, why);
	strbuf_printf(out, ",\"line\":%u,\"column\":%u}", line, column);
}

void
toml_json_put(struct strbuf *out, const char *text, size_t length)
{
	size_t start = out->length;
	struct writer writer = { .out = out };

	strbuf_puts(out, "{\"nodes\":[");
	if (!toml_read(text, length, write_node, &writer, &writer.refusal))
		writer.is_refused = true;
	if (!writer.is_refused) {
		end_array(&writer);
		strbuf_puts(out, "]}");
		return;
	}
	out->length = start;
	toml_json_put_error(out, writer.refusal.message, writer.refusal.line, writer.refusal.column);
}
