/* One request, from its message to its answer; see internal.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "mcp/internal.h"
#include "util/mem.h"

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",	   [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_NOTICE] = "notice",	   [LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",	   [LOG_LEVEL_CRITICAL] = "critical",
	[LOG_LEVEL_ALERT] = "alert",	   [LOG_LEVEL_EMERGENCY] = "emergency",
};
static_assert(ARRAY_SIZE(level_names) == LOG_LEVEL_COUNT, "a name for each level");

bool
log_level_find(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (str_equal(level_names[i], name)) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void
free_exchange(struct mcp_exchange *exchange)
{
	struct mcp_server *server = exchange->server;
	struct mcp_exchange **at = &server->exchanges;

	while (*at != exchange)
		at = &(*at)->next;
	*at = exchange->next;
	server->exchanges_count--;
	server->exchanges_bytes -= exchange->bytes;
	rounds_forget(exchange);
	guest_call_cancel(exchange->call);
	edition_leave(exchange->edition);
	strv_done(&exchange->listening.uris);
	json_free(exchange->own_arguments);
	json_free(exchange->collected);
	free(exchange->guest_state);
	json_free(exchange->root);
	free(exchange);
	if (server->exchanges_count == 0 && server->is_idle != NULL)
		server->is_idle(server->idle_data);
}

/* With its answer a stream is the transport's, maybe gone: nobody finds the exchange by it meanwhile. */
static void
end(struct mcp_exchange *exchange, const struct strbuf *text, enum mcp_status status)
{
	struct mcp_stream *stream = exchange->stream;

	exchange->stream = NULL;
	stream->ops->answer(stream, text, status);
	free_exchange(exchange);
}

void
exchange_drop(struct mcp_exchange *exchange)
{
	end(exchange, NULL, MCP_GONE);
}

void
exchange_set_cache(const struct mcp_exchange *exchange, json_value *result, uint64_t ttl_ms)
{
	if (!mcp_is_modern(exchange->version))
		return;
	json_set(result, "ttlMs", json_new_integer((int64_t)ttl_ms));
	json_set(result, "cacheScope",
		 json_new_string(exchange->server->settings->is_private ? "private" : "public"));
}

/*
 * The server's own name in each result (MCP 2026-07-28, basic: per-response protocol fields). What more it says of
 * itself, maybe whole icons, is in the answer to server/discover alone.
 */
static void
put_server_info(const struct mcp_exchange *exchange, json_value *result)
{
	const struct catalog *catalog = &exchange->server->edition->catalog;
	const struct json_place place = JSON_PLACE_OF(result);
	struct json_place meta;
	json_value *with = json_new_object();
	struct json_place member = { 0 };

	if (json_member(&place, "_meta", &meta)) {
		while (json_next_member(&meta, &member))
			json_set(with, member.name, json_share(member.value));
	}
	json_set(with, META_SERVER_INFO,
		 str_equal(exchange->message.method, "server/discover")
		     ? catalog_new_server_info(catalog, exchange->version)
		     : json_share(catalog->server_info));
	json_set(result, "_meta", with);
}

void
exchange_result(struct mcp_exchange *exchange, json_value *result)
{
	const struct json_place place = JSON_PLACE_OF(result);
	struct strbuf text = STRBUF_INIT;
	struct json_place type;

	if (mcp_is_modern(exchange->version)) {
		if (!json_member(&place, "resultType", &type))
			json_set(result, "resultType", json_new_string("complete"));
		put_server_info(exchange, result);
	}
	rpc_put_result(&text, exchange->message.id, result);
	json_free(result);
	end(exchange, &text, MCP_OK);
	strbuf_done(&text);
}

static enum mcp_status
status_of(const struct mcp_exchange *exchange, enum rpc_code code)
{
	if (!mcp_is_modern(exchange->version))
		return MCP_OK;
	if (code == RPC_METHOD_NOT_FOUND)
		return MCP_NOT_FOUND;
	if (!exchange->is_checked || code == RPC_MISSING_CAPABILITY || code == RPC_HEADER_MISMATCH)
		return MCP_BAD_REQUEST;
	return MCP_OK;
}

void
exchange_error(struct mcp_exchange *exchange, enum rpc_code code, json_value *data, const char *fmt,
	       ...)
{
	struct strbuf text = STRBUF_INIT;
	struct error sentence;
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence.message, sizeof(sentence.message), fmt, args);
	va_end(args);
	rpc_put_error(&text, exchange->message.id, false, code, sentence.message, data);
	json_free(data);
	exchange->server->metrics.errors++;
	end(exchange, &text, status_of(exchange, code));
	strbuf_done(&text);
}

void
exchange_notify(struct mcp_exchange *exchange, const char *method, const json_value *params)
{
	struct strbuf text = STRBUF_INIT;

	rpc_put_notification(&text, method, params);
	exchange->stream->ops->send(exchange->stream, &text);
	strbuf_done(&text);
}

bool
exchange_param(const struct mcp_exchange *exchange, const char *name, struct json_place *ret_place)
{
	return exchange->message.has_params && json_member(&exchange->message.params, name, ret_place);
}

bool
exchange_text_param(struct mcp_exchange *exchange, const char *name, const char **ret_text)
{
	struct json_place place;
	struct error err = ERROR_INIT;

	if (!exchange_param(exchange, name, &place)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "the parameter %s is missing", name);
		return false;
	}
	if (json_get_string(&place, ret_text, &err) < 0) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
		return false;
	}
	return true;
}

bool
exchange_client_can(const struct mcp_exchange *exchange, const char *capability, const char *part)
{
	struct json_place member, inner;

	if (exchange->capabilities == NULL ||
	    !json_member(exchange->capabilities, capability, &member) ||
	    json_kind_of(&member) != JSON_KIND_OBJECT)
		return false;
	return part == NULL || json_member(&member, part, &inner);
}

struct mcp_exchange *
exchange_find(struct mcp_server *server, const struct mcp_session *session,
	      const struct mcp_stream *stream, const json_value *id)
{
	for (struct mcp_exchange *at = server->exchanges; at != NULL; at = at->next) {
		bool is_ours = session != NULL ? at->session == session || at->stream == stream
					       : at->stream == stream;

		if (is_ours && json_is_same(at->message.id, id))
			return at;
	}
	return NULL;
}
