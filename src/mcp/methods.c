/* The methods of MCP that need no guest, and the table of all; see internal.h. */
#include <string.h>

#include "mcp/internal.h"
#include "util/mem.h"

/* How long a client may take lists for what they are, when nobody tells it that they changed. */
#define LIST_TTL_MS 60000

/* Takes `part`. */
static json_value *
with_flag(json_value *part, const char *name)
{
	json_set(part, name, json_new_bool(true));
	return part;
}

json_value *
method_capabilities(const struct mcp_server *server, enum mcp_version version)
{
	const struct catalog *catalog = &server->edition->catalog;
	json_value *capabilities = json_new_object();

	json_set(capabilities, "tools", with_flag(json_new_object(), "listChanged"));
	json_set(capabilities, "logging", json_new_object());
	if (catalog_has_resources(catalog))
		json_set(capabilities, "resources",
			 with_flag(with_flag(json_new_object(), "listChanged"), "subscribe"));
	if (catalog_has_prompts(catalog))
		json_set(capabilities, "prompts", with_flag(json_new_object(), "listChanged"));
	if (catalog_has_completions(catalog) && mcp_has_tool_annotations(version))
		json_set(capabilities, "completions", json_new_object());
	return capabilities;
}

static void
put_instructions(const struct mcp_server *server, json_value *result)
{
	const char *description = server->edition->catalog.manifest->description;

	if (*description != '\0')
		json_set(result, "instructions", json_new_string(description));
}

static bool
is_small(const json_value *value, size_t bytes_max)
{
	struct strbuf text = STRBUF_INIT;
	bool small;

	json_write(&text, value, JSON_STYLE_COMPACT);
	small = text.length <= bytes_max;
	strbuf_done(&text);
	return small;
}

/* MCP up to 2025-11-25, lifecycle: a version that is not known is answered with one that is. */
static void
initialize(struct mcp_exchange *exchange)
{
	struct mcp_session *session = exchange->session;
	const char *version = "";
	json_value *result;
	struct json_place capabilities;
	struct error err = ERROR_INIT;

	if (session->is_open) {
		exchange_error(exchange, RPC_INVALID_REQUEST, NULL, "the session is open already");
		return;
	}
	if (!exchange_text_param(exchange, "protocolVersion", &version))
		return;
	if (!exchange_param(exchange, "capabilities", &capabilities) ||
	    json_expect(&capabilities, JSON_KIND_OBJECT, &err) < 0 ||
	    !is_small(capabilities.value, MCP_CAPABILITIES_BYTES_MAX)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL,
			       "the parameter capabilities is missing, no object, or too large");
		return;
	}
	if (!mcp_version_find(version, &session->version) || mcp_is_modern(session->version))
		session->version = MCP_LEGACY_LATEST;
	session->root = json_share(capabilities.value);
	session->capabilities = (struct json_place)JSON_PLACE_OF(session->root);
	session->is_open = true;
	exchange->version = session->version;
	result = json_new_object();
	json_set(result, "protocolVersion", json_new_string(mcp_version_name(session->version)));
	json_set(result, "capabilities", method_capabilities(exchange->server, session->version));
	json_set(result, "serverInfo", catalog_new_server_info(&exchange->server->edition->catalog, session->version));
	put_instructions(exchange->server, result);
	exchange_result(exchange, result);
}

static void
discover(struct mcp_exchange *exchange)
{
	json_value *result = json_new_object();

	json_set(result, "supportedVersions", mcp_version_list());
	json_set(result, "capabilities", method_capabilities(exchange->server, exchange->version));
	put_instructions(exchange->server, result);
	exchange_set_cache(exchange, result, LIST_TTL_MS);
	exchange_result(exchange, result);
}

static void
ping(struct mcp_exchange *exchange)
{
	exchange_result(exchange, json_new_object());
}

static void
list(struct mcp_exchange *exchange, enum catalog_kind kind)
{
	json_value *result = json_new_object();
	struct json_place cursor;
	struct error unused;
	const char *text = NULL;

	if ((exchange_param(exchange, "cursor", &cursor) && json_get_string(&cursor, &text, &unused) < 0) ||
	    catalog_put_page(&exchange->server->edition->catalog, kind, exchange->version, text, result) <
		0) {
		json_free(result);
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "the cursor is not one that was given");
		return;
	}
	exchange_set_cache(exchange, result, LIST_TTL_MS);
	exchange_result(exchange, result);
}

static void
list_tools(struct mcp_exchange *exchange)
{
	list(exchange, CATALOG_TOOLS);
}

static void
list_resources(struct mcp_exchange *exchange)
{
	list(exchange, CATALOG_RESOURCES);
}

static void
list_templates(struct mcp_exchange *exchange)
{
	list(exchange, CATALOG_TEMPLATES);
}

static void
list_prompts(struct mcp_exchange *exchange)
{
	list(exchange, CATALOG_PROMPTS);
}

static void
set_level(struct mcp_exchange *exchange)
{
	const char *level = "";

	if (!exchange_text_param(exchange, "level", &level))
		return;
	if (!log_level_find(level, &exchange->session->log_level)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "there is no log level of this name");
		return;
	}
	exchange_result(exchange, json_new_object());
}

#define SUBSCRIPTIONS_MAX 1024

/* NULL: the error is sent. */
static const char *
uri_param(struct mcp_exchange *exchange)
{
	const char *uri = NULL;

	if (!exchange_text_param(exchange, "uri", &uri))
		return NULL;
	if (strlen(uri) <= MCP_URI_BYTES_MAX)
		return uri;
	exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "the URI is too long");
	return NULL;
}

static void
subscribe(struct mcp_exchange *exchange)
{
	struct strv *uris = &exchange->session->subscriptions;
	const char *uri = uri_param(exchange);

	if (uri == NULL)
		return;
	if (!strv_contains(uris, uri)) {
		if (uris->count >= SUBSCRIPTIONS_MAX) {
			exchange_error(exchange, RPC_INVALID_PARAMS, NULL,
				       "no more than %d resources can be subscribed to",
				       SUBSCRIPTIONS_MAX);
			return;
		}
		strv_add(uris, uri);
	}
	exchange_result(exchange, json_new_object());
}

static void
unsubscribe(struct mcp_exchange *exchange)
{
	struct strv *uris = &exchange->session->subscriptions;
	const char *uri = uri_param(exchange);

	if (uri == NULL)
		return;
	for (size_t i = 0; i < uris->count; i++) {
		if (!str_equal(uris->items[i], uri))
			continue;
		free(uris->items[i]);
		uris->items[i] = uris->items[--uris->count];
		uris->items[uris->count] = NULL;
		break;
	}
	exchange_result(exchange, json_new_object());
}

static const struct mcp_method methods[] = {
	{ "initialize", MCP_ERA_LEGACY, initialize },
	{ "ping", MCP_ERA_LEGACY, ping },
	{ "logging/setLevel", MCP_ERA_LEGACY, set_level },
	{ "resources/subscribe", MCP_ERA_LEGACY, subscribe },
	{ "resources/unsubscribe", MCP_ERA_LEGACY, unsubscribe },
	{ "server/discover", MCP_ERA_MODERN, discover },
	{ "subscriptions/listen", MCP_ERA_MODERN, method_listen },
	{ "tools/list", MCP_ERA_BOTH, list_tools },
	{ "tools/call", MCP_ERA_BOTH, method_tools_call },
	{ "resources/list", MCP_ERA_BOTH, list_resources },
	{ "resources/templates/list", MCP_ERA_BOTH, list_templates },
	{ "resources/read", MCP_ERA_BOTH, method_resources_read },
	{ "prompts/list", MCP_ERA_BOTH, list_prompts },
	{ "prompts/get", MCP_ERA_BOTH, method_prompts_get },
	{ "completion/complete", MCP_ERA_BOTH, method_completion },
};

/* What the agent does not offer at all is no method (MCP: capabilities). */
static bool
is_offered(const struct catalog *catalog, const char *name)
{
	if (str_starts_with(name, "resources/"))
		return catalog_has_resources(catalog);
	if (str_starts_with(name, "prompts/"))
		return catalog_has_prompts(catalog);
	if (str_starts_with(name, "completion/"))
		return catalog_has_completions(catalog);
	return true;
}

const struct mcp_method *
method_find(const struct mcp_exchange *exchange)
{
	enum mcp_era era = mcp_is_modern(exchange->version) ? MCP_ERA_MODERN : MCP_ERA_LEGACY;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (str_equal(methods[i].name, exchange->message.method))
			return (methods[i].eras & era) != 0 &&
				       is_offered(&exchange->server->edition->catalog, methods[i].name)
				   ? &methods[i]
				   : NULL;
	}
	return NULL;
}

bool
method_is_modern_only(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (str_equal(methods[i].name, name))
			return methods[i].eras == MCP_ERA_MODERN;
	}
	return false;
}
