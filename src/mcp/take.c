/* From an incoming message to a request that is under way; see server.h. */
#include <errno.h>

#include "mcp/internal.h"
#include "mcp/param_headers.h"
#include "util/mem.h"

#define META_VERSION	     META_PREFIX "protocolVersion"
#define META_CAPABILITIES    META_PREFIX "clientCapabilities"
#define META_CLIENT	     META_PREFIX "clientInfo"
#define META_LOG_LEVEL	     META_PREFIX "logLevel"

/* One item of the batches that 2025-03-26 has. */
struct batch_item {
	struct mcp_stream stream;
	struct batch *batch;
};

struct batch {
	struct mcp_stream *stream; /* of the whole */
	struct strbuf text;	   /* the answers so far */
	size_t open;
};

static void
batch_send(struct mcp_stream *stream, const struct strbuf *text)
{
	struct mcp_stream *outer = ((struct batch_item *)stream)->batch->stream;

	outer->ops->send(outer, text);
}

static bool
batch_is_full(struct mcp_stream *stream)
{
	struct mcp_stream *outer = ((struct batch_item *)stream)->batch->stream;

	return outer->ops->is_full(outer);
}

static void
close_item(struct batch *batch)
{
	if (--batch->open > 0)
		return;
	if (batch->text.length > 0) {
		strbuf_putc(&batch->text, ']');
		batch->stream->ops->answer(batch->stream, &batch->text, MCP_OK);
	} else {
		batch->stream->ops->answer(batch->stream, NULL, MCP_ACCEPTED);
	}
	strbuf_done(&batch->text);
	free(batch);
}

static void
batch_answer(struct mcp_stream *stream, const struct strbuf *text, enum mcp_status status)
{
	struct batch_item *item = (struct batch_item *)stream;
	struct batch *batch = item->batch;

	(void)status;
	if (text != NULL) {
		strbuf_putc(&batch->text, batch->text.length == 0 ? '[' : ',');
		strbuf_add(&batch->text, text->text, text->length);
	}
	free(item);
	close_item(batch);
}

static const struct mcp_stream_ops batch_ops = { .send = batch_send,
						 .answer = batch_answer,
						 .is_full = batch_is_full };

/* Also where it stands in a batch. */
static bool
is_stream(const struct mcp_stream *stream, const struct mcp_stream *of)
{
	if (stream == of)
		return true;
	return stream != NULL && stream->ops == &batch_ops &&
	       ((const struct batch_item *)stream)->batch->stream == of;
}

static bool
meta_of(const struct rpc_message *message, struct json_place *ret_meta)
{
	return message->has_params && json_member(&message->params, "_meta", ret_meta) &&
	       json_kind_of(ret_meta) == JSON_KIND_OBJECT;
}

static bool
has_modern_meta(const struct rpc_message *message)
{
	static const char *const names[] = { META_VERSION, META_CAPABILITIES, META_CLIENT,
					     META_LOG_LEVEL };
	struct json_place meta, member;

	if (!meta_of(message, &meta))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (json_member(&meta, names[i], &member))
			return true;
	}
	return false;
}

/* By its body; a header counts only where the body does not say. */
static bool
is_modern(const struct rpc_message *message, const struct mcp_headers *headers)
{
	enum mcp_version version;

	if (has_modern_meta(message) || method_is_modern_only(message->method))
		return true;
	return headers != NULL && headers->protocol_version != NULL &&
	       mcp_version_find(headers->protocol_version, &version) && mcp_is_modern(version);
}

bool
mcp_is_modern_message(const json_value *root, const struct mcp_headers *headers)
{
	struct rpc_message message;
	struct rpc_failure failure;

	return rpc_read(root, &message, &failure) == 0 && is_modern(&message, headers);
}

bool
mcp_is_initialize(const json_value *root)
{
	struct rpc_message message;
	struct rpc_failure failure;

	return rpc_read(root, &message, &failure) == 0 && message.kind == RPC_REQUEST &&
	       str_equal(message.method, "initialize") && !has_modern_meta(&message);
}

/* --- the modern era */

/* 0, or -1 and the error is sent. */
static int
read_meta(struct mcp_exchange *exchange, const char **ret_version)
{
	struct json_place *meta = &exchange->own_meta;
	struct json_place member;
	struct error err = ERROR_INIT;
	const char *level;

	if (!meta_of(&exchange->message, meta)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "params._meta is missing");
		return -1;
	}
	if (!json_member(meta, META_VERSION, &member) ||
	    !json_member(meta, META_CAPABILITIES, &exchange->own_capabilities)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL,
			       "params._meta needs " META_VERSION " and " META_CAPABILITIES);
		return -1;
	}
	if (json_get_string(&member, ret_version, &err) < 0 ||
	    json_expect(&exchange->own_capabilities, JSON_KIND_OBJECT, &err) < 0 ||
	    (json_member(meta, META_CLIENT, &member) &&
	     json_expect(&member, JSON_KIND_OBJECT, &err) < 0) ||
	    (json_member(meta, META_LOG_LEVEL, &member) &&
	     json_get_string(&member, &level, &err) < 0)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
		return -1;
	}
	exchange->capabilities = &exchange->own_capabilities;
	exchange->log_level = LOG_LEVEL_NONE;
	if (json_member(meta, META_LOG_LEVEL, &member) &&
	    !log_level_find(level, &exchange->log_level)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "there is no log level of this name");
		return -1;
	}
	return 0;
}

static int
check_version(struct mcp_exchange *exchange, const char *name)
{
	const struct mcp_headers *headers = exchange->headers;
	json_value *data;

	if (headers != NULL &&
	    (headers->protocol_version == NULL || !str_equal(headers->protocol_version, name))) {
		exchange_error(exchange, RPC_HEADER_MISMATCH, NULL,
			       headers->protocol_version == NULL
				   ? "the header MCP-Protocol-Version is missing"
				   : "the header MCP-Protocol-Version does not say what the body does");
		return -1;
	}
	if (mcp_version_find(name, &exchange->version) && mcp_is_modern(exchange->version))
		return 0;
	exchange->version = MCP_2026_07_28;
	data = json_new_object();
	json_set(data, "supported", mcp_version_list());
	json_set(data, "requested", json_new_string(name));
	exchange_error(exchange, RPC_UNSUPPORTED_VERSION, data,
		       "this version of the protocol is not one that is spoken without initialize");
	return -1;
}

/* What Mcp-Name repeats: NULL where the method has none. */
static const char *
named_param(const char *method)
{
	if (str_equal(method, "tools/call") || str_equal(method, "prompts/get"))
		return "name";
	return str_equal(method, "resources/read") ? "uri" : NULL;
}

static int
check_headers(struct mcp_exchange *exchange)
{
	const struct mcp_headers *headers = exchange->headers;
	const char *param = named_param(exchange->message.method);
	struct json_place place;
	struct error unused;
	const char *name;

	if (headers == NULL)
		return 0;
	if (headers->method == NULL || !str_equal(headers->method, exchange->message.method)) {
		exchange_error(exchange, RPC_HEADER_MISMATCH, NULL,
			       headers->method == NULL
				   ? "the header Mcp-Method is missing"
				   : "the header Mcp-Method does not say what the body does");
		return -1;
	}
	/* What is wrong with the parameter itself is said where it is used. */
	if (param == NULL || !exchange_param(exchange, param, &place) ||
	    json_get_string(&place, &name, &unused) < 0)
		return 0;
	if (headers->name == NULL || !param_header_says(headers->name, name)) {
		exchange_error(exchange, RPC_HEADER_MISMATCH, NULL,
			       headers->name == NULL
				   ? "the header Mcp-Name is missing"
				   : "the header Mcp-Name does not say what the body does");
		return -1;
	}
	return 0;
}

static int
check_modern(struct mcp_exchange *exchange)
{
	const char *version = "";

	exchange->version = MCP_2026_07_28;
	if (read_meta(exchange, &version) < 0 || check_version(exchange, version) < 0 ||
	    check_headers(exchange) < 0)
		return -1;
	return 0;
}

/* --- the legacy era */

static int
check_legacy(struct mcp_exchange *exchange)
{
	const struct mcp_session *session = exchange->session;
	const char *method = exchange->message.method;

	exchange->version = session == NULL ? MCP_LEGACY_LATEST : session->version;
	if (session == NULL || (!session->is_open && !str_equal(method, "initialize") &&
				!str_equal(method, "ping"))) {
		exchange_error(exchange, RPC_INVALID_REQUEST, NULL,
			       "the session is not open: initialize comes first, or _meta with each request");
		return -1;
	}
	exchange->log_level = session->log_level;
	exchange->capabilities = session->is_open ? &session->capabilities : NULL;
	return 0;
}

/* --- both */

static void
read_progress_token(struct mcp_exchange *exchange)
{
	struct json_place meta, token;

	if (meta_of(&exchange->message, &meta) && json_member(&meta, "progressToken", &token) &&
	    rpc_is_id(token.value))
		exchange->progress_token = token.value;
}

static void
begin(struct mcp_exchange *exchange, bool modern)
{
	const struct mcp_method *method;

	if ((modern ? check_modern(exchange) : check_legacy(exchange)) < 0)
		return;
	method = method_find(exchange);
	if (method == NULL) {
		exchange_error(exchange, RPC_METHOD_NOT_FOUND, NULL, "there is no method of this name");
		return;
	}
	read_progress_token(exchange);
	exchange->is_checked = true;
	method->take(exchange);
}

static void
cancel(struct mcp_server *server, struct mcp_session *session, const struct mcp_stream *stream,
       const struct rpc_message *message)
{
	struct json_place id;
	struct mcp_exchange *exchange;

	if (!message->has_params || !json_member(&message->params, "requestId", &id) ||
	    !rpc_is_id(id.value))
		return;
	/* On one channel, all that came over it; over HTTP, all of the session. */
	exchange = exchange_find(server, session, session != NULL ? session->stream : stream, id.value);
	if (exchange != NULL && !str_equal(exchange->message.method, "initialize"))
		exchange_drop(exchange);
}

static void
take_request(struct mcp_server *server, struct mcp_session *session, json_value *root, size_t bytes,
	     struct mcp_stream *stream, const struct mcp_headers *headers)
{
	struct mcp_exchange *exchange = MEM_NEW(struct mcp_exchange);
	struct rpc_failure failure;
	bool modern;

	exchange->server = server;
	exchange->stream = stream;
	exchange->root = root;
	exchange->bytes = bytes;
	server->exchanges_bytes += bytes;
	exchange->headers = headers;
	exchange->listening.uris = (struct strv)STRV_INIT;
	/* It was read before; now its places are where they stay. */
	(void)rpc_read(root, &exchange->message, &failure);
	modern = is_modern(&exchange->message, headers);
	exchange->session = modern ? NULL : session;
	exchange->version = modern ? MCP_2026_07_28 : MCP_LEGACY_LATEST;
	exchange->next = server->exchanges;
	server->exchanges = exchange;
	server->exchanges_count++;
	server->metrics.requests++;
	begin(exchange, modern);
}

/* `root` is taken over. */
static void
take_one(struct mcp_server *server, struct mcp_session *session, json_value *root, size_t bytes,
	 struct mcp_stream *stream, const struct mcp_headers *headers)
{
	struct rpc_message message;
	struct rpc_failure failure;

	if (rpc_read(root, &message, &failure) < 0) {
		mcp_server_refuse(session, &failure, stream);
		json_free(root);
		return;
	}
	if (message.kind == RPC_REQUEST) {
		if (exchange_find(server, session, stream, message.id) != NULL) {
			failure.code = RPC_INVALID_REQUEST;
			failure.id = message.id;
			error_set(&failure.sentence, -EINVAL, "a request with this id is under way");
			mcp_server_refuse(session, &failure, stream);
			json_free(root);
			return;
		}
		take_request(server, session, root, bytes, stream, headers);
		return;
	}
	if (message.kind == RPC_RESPONSE) {
		if (session != NULL)
			(void)rounds_take_response(session, &message);
	} else if (str_equal(message.method, "notifications/cancelled")) {
		cancel(server, session, stream, &message);
	}
	stream->ops->answer(stream, NULL, MCP_ACCEPTED);
	json_free(root);
}

static void
refuse_batch(struct mcp_session *session, struct mcp_stream *stream, const char *sentence)
{
	struct rpc_failure failure = { .code = RPC_INVALID_REQUEST };

	error_set(&failure.sentence, -EINVAL, "%s", sentence);
	mcp_server_refuse(session, &failure, stream);
}

static void
take_batch(struct mcp_server *server, struct mcp_session *session, const json_value *root,
	   size_t bytes, struct mcp_stream *stream, const struct mcp_headers *headers)
{
	const struct json_place list = JSON_PLACE_OF(root);
	size_t count = json_count(&list);
	struct batch *batch;

	if (session == NULL || !session->is_open || !mcp_has_batches(session->version)) {
		refuse_batch(session, stream, "this version of the protocol has no batches");
		return;
	}
	if (count == 0 || count > RPC_BATCH_MAX) {
		refuse_batch(session, stream,
			     count == 0 ? "the batch is empty" : "the batch has too many messages");
		return;
	}
	batch = MEM_NEW(struct batch);
	batch->stream = stream;
	/* One more, so that it is not over before all have begun. */
	batch->open = count + 1;
	for (size_t i = 0; i < count; i++) {
		struct batch_item *item = MEM_NEW(struct batch_item);
		struct json_place place;

		item->stream.ops = &batch_ops;
		item->batch = batch;
		json_item(&list, i, &place);
		take_one(server, session, json_share(place.value), bytes / count, &item->stream, headers);
	}
	close_item(batch);
}

void
mcp_server_take(struct mcp_server *server, struct mcp_session *session, json_value *root,
		size_t bytes, struct mcp_stream *stream, const struct mcp_headers *headers)
{
	const struct json_place place = JSON_PLACE_OF(root);

	if (json_kind_of(&place) != JSON_KIND_ARRAY) {
		take_one(server, session, root, bytes, stream, headers);
		return;
	}
	take_batch(server, session, root, bytes, stream, headers);
	json_free(root);
}

void
mcp_server_refuse(struct mcp_session *session, const struct rpc_failure *failure,
		  struct mcp_stream *stream)
{
	struct strbuf text = STRBUF_INIT;
	bool null_id = session != NULL && session->is_open && !mcp_has_errors_without_id(session->version);

	rpc_put_error(&text, failure->id, null_id, failure->code, failure->sentence.message, NULL);
	stream->ops->answer(stream, &text, MCP_BAD_REQUEST);
	strbuf_done(&text);
}

void
mcp_server_hung_up(struct mcp_server *server, struct mcp_stream *stream)
{
	struct mcp_exchange *next;

	for (struct mcp_exchange *at = server->exchanges; at != NULL; at = next) {
		next = at->next;
		if (is_stream(at->stream, stream))
			exchange_drop(at);
	}
}

void
mcp_server_drained(struct mcp_server *server, struct mcp_stream *stream)
{
	for (struct mcp_exchange *at = server->exchanges; at != NULL; at = at->next) {
		if (at->call != NULL && is_stream(at->stream, stream))
			guest_call_resume(at->call);
	}
}
