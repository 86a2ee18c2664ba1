/* Who hears of changes: subscriptions/listen (modern), sessions (legacy); see internal.h. */
#include <string.h>

#include "mcp/internal.h"
#include "util/mem.h"

#define SUBSCRIPTION_ID META_PREFIX "subscriptionId"
#define URIS_MAX	1024

/* {"io.modelcontextprotocol/subscriptionId": id} */
static json_value *
new_meta(const struct mcp_exchange *exchange)
{
	json_value *meta = json_new_object();

	json_set(meta, SUBSCRIPTION_ID, json_share(exchange->message.id));
	return meta;
}

static bool
wants(const struct json_place *filter, const char *name)
{
	struct json_place member;
	struct error unused;
	bool is_wanted = false;

	return json_member(filter, name, &member) && json_get_bool(&member, &is_wanted, &unused) == 0 &&
	       is_wanted;
}

static bool
read_uris(struct mcp_exchange *exchange, const struct json_place *filter)
{
	struct json_place list;
	struct error err = ERROR_INIT;
	int r;

	if (!json_member(filter, "resourceSubscriptions", &list))
		return true;
	r = json_expect(&list, JSON_KIND_ARRAY, &err);
	if (r == 0 && json_count(&list) > URIS_MAX)
		r = json_error_at(&err, -1, &list, "more than %d", URIS_MAX);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_place item;
		const char *uri;

		json_item(&list, i, &item);
		r = json_get_string(&item, &uri, &err);
		if (r == 0 && strlen(uri) > MCP_URI_BYTES_MAX)
			r = json_error_at(&err, -1, &item, "the URI is too long");
		if (r == 0)
			strv_add(&exchange->listening.uris, uri);
	}
	if (r < 0)
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
	return r == 0;
}

static void
acknowledge(struct mcp_exchange *exchange)
{
	const struct mcp_listening *listening = &exchange->listening;
	json_value *params = json_new_object();
	json_value *filter = json_new_object();

	if (listening->tools)
		json_set(filter, "toolsListChanged", json_new_bool(true));
	if (listening->prompts)
		json_set(filter, "promptsListChanged", json_new_bool(true));
	if (listening->resources)
		json_set(filter, "resourcesListChanged", json_new_bool(true));
	if (listening->uris.count > 0) {
		json_value *uris = json_new_array();

		for (size_t i = 0; i < listening->uris.count; i++)
			json_append(uris, json_new_string(listening->uris.items[i]));
		json_set(filter, "resourceSubscriptions", uris);
	}
	json_set(params, "_meta", new_meta(exchange));
	json_set(params, "notifications", filter);
	exchange_notify(exchange, "notifications/subscriptions/acknowledged", params);
	json_free(params);
}

void
method_listen(struct mcp_exchange *exchange)
{
	struct mcp_listening *listening = &exchange->listening;
	struct json_place filter;
	struct error unused;

	if (!exchange_param(exchange, "notifications", &filter) ||
	    json_expect(&filter, JSON_KIND_OBJECT, &unused) < 0) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL,
			       "the parameter notifications is missing, or no object");
		return;
	}
	if (!read_uris(exchange, &filter))
		return;
	listening->tools = wants(&filter, "toolsListChanged");
	listening->prompts = wants(&filter, "promptsListChanged");
	listening->resources = wants(&filter, "resourcesListChanged");
	listening->is_on = true;
	acknowledge(exchange);
	if (exchange->server->is_finishing)
		listen_end(exchange);
}

void
listen_end(struct mcp_exchange *exchange)
{
	json_value *params = json_new_object();
	json_value *result = json_new_object();

	/* Both ways in which the specification lets a server end it: basic/patterns, cancellation and subscriptions. */
	json_set(params, "requestId", json_share(exchange->message.id));
	json_set(params, "_meta", new_meta(exchange));
	exchange_notify(exchange, "notifications/cancelled", params);
	json_free(params);
	json_set(result, "_meta", new_meta(exchange));
	exchange_result(exchange, result);
}

static void
tell_listener(struct mcp_exchange *exchange, const char *method, const char *uri)
{
	json_value *params = json_new_object();

	json_set(params, "_meta", new_meta(exchange));
	if (uri != NULL)
		json_set(params, "uri", json_new_string(uri));
	exchange_notify(exchange, method, params);
	json_free(params);
}

static void
tell_session(struct mcp_session *session, const char *method, const char *uri)
{
	struct strbuf text = STRBUF_INIT;
	_cleanup_json_ json_value *params = NULL;

	if (!session->is_open || session->stream == NULL)
		return;
	if (uri != NULL) {
		params = json_new_object();
		json_set(params, "uri", json_new_string(uri));
	}
	rpc_put_notification(&text, method, params);
	session->stream->ops->send(session->stream, &text);
	strbuf_done(&text);
}

#define TOOLS_CHANGED	  "notifications/tools/list_changed"
#define PROMPTS_CHANGED	  "notifications/prompts/list_changed"
#define RESOURCES_CHANGED "notifications/resources/list_changed"
#define RESOURCE_UPDATED  "notifications/resources/updated"

void
listen_tell_changed(struct mcp_server *server)
{
	for (struct mcp_exchange *at = server->exchanges; at != NULL; at = at->next) {
		const struct mcp_listening *listening = &at->listening;

		if (!listening->is_on)
			continue;
		if (listening->tools)
			tell_listener(at, TOOLS_CHANGED, NULL);
		if (listening->prompts)
			tell_listener(at, PROMPTS_CHANGED, NULL);
		if (listening->resources)
			tell_listener(at, RESOURCES_CHANGED, NULL);
		for (size_t i = 0; i < listening->uris.count; i++)
			tell_listener(at, RESOURCE_UPDATED, listening->uris.items[i]);
	}
	for (struct mcp_session *session = server->sessions; session != NULL; session = session->next) {
		tell_session(session, TOOLS_CHANGED, NULL);
		if (catalog_has_prompts(&server->edition->catalog))
			tell_session(session, PROMPTS_CHANGED, NULL);
		if (catalog_has_resources(&server->edition->catalog))
			tell_session(session, RESOURCES_CHANGED, NULL);
		for (size_t i = 0; i < session->subscriptions.count; i++)
			tell_session(session, RESOURCE_UPDATED, session->subscriptions.items[i]);
	}
}
