/* JSON-RPC 2.0; see rpc.h. */
#include "mcp/rpc.h"

#include <errno.h>
#include <inttypes.h>

int
rpc_parse(const char *text, size_t length, json_value **ret_root, struct rpc_failure *ret_failure)
{
	static const struct json_limits limits = { .bytes_max = RPC_MESSAGE_BYTES_MAX,
						   .depth_max = RPC_DEPTH_MAX };
	int r = json_parse(text, length, &limits, ret_root, &ret_failure->sentence);

	if (r == 0)
		return 0;
	ret_failure->code = r == -E2BIG ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR;
	ret_failure->id = NULL;
	return -1;
}

bool
rpc_is_id(const json_value *id)
{
	const struct json_place place = JSON_PLACE_OF(id);
	enum json_kind kind = json_kind_of(&place);

	return kind == JSON_KIND_STRING || kind == JSON_KIND_INTEGER;
}

static int
fail(struct rpc_failure *failure, const char *sentence)
{
	failure->code = RPC_INVALID_REQUEST;
	error_set(&failure->sentence, -EINVAL, "%s", sentence);
	return -1;
}

static int
read_id(struct rpc_message *message, struct rpc_failure *failure)
{
	struct json_place id;

	if (!json_member(&message->place, "id", &id))
		return 0;
	/* An error of a request that could not be read has none, or null. */
	if (json_kind_of(&id) == JSON_KIND_NULL && message->error != NULL)
		return 0;
	if (!rpc_is_id(id.value))
		return fail(failure, "the id is neither a string nor an integer");
	message->id = id.value;
	failure->id = id.value;
	return 0;
}

static int
read_call(struct rpc_message *message, struct rpc_failure *failure)
{
	struct json_place member;
	struct error unused;

	if (!json_member(&message->place, "method", &member) ||
	    json_get_string(&member, &message->method, &unused) < 0)
		return fail(failure, "the method is missing, or no string");
	message->kind = message->id != NULL ? RPC_REQUEST : RPC_NOTIFICATION;
	message->has_params = json_member(&message->place, "params", &message->params);
	if (message->has_params && json_kind_of(&message->params) != JSON_KIND_OBJECT) {
		failure->code = RPC_INVALID_PARAMS;
		error_set(&failure->sentence, -EINVAL, "params is %s, not an object",
			  json_kind_name(json_kind_of(&message->params)));
		return -1;
	}
	return 0;
}

int
rpc_read(const json_value *value, struct rpc_message *ret_message, struct rpc_failure *ret_failure)
{
	struct json_place member;
	const char *version = "";
	struct error unused;

	*ret_message = (struct rpc_message){ .place = JSON_PLACE_OF(value), .method = "" };
	*ret_failure = (struct rpc_failure){ .code = RPC_INVALID_REQUEST };
	if (json_kind_of(&ret_message->place) != JSON_KIND_OBJECT)
		return fail(ret_failure, "a message is a JSON object");
	if (json_member(&ret_message->place, "result", &member))
		ret_message->result = member.value;
	if (json_member(&ret_message->place, "error", &member))
		ret_message->error = member.value;
	if (read_id(ret_message, ret_failure) < 0)
		return -1;
	if (!json_member(&ret_message->place, "jsonrpc", &member) ||
	    json_get_string(&member, &version, &unused) < 0 || !str_equal(version, "2.0"))
		return fail(ret_failure, "the member jsonrpc is not \"2.0\"");
	if ((ret_message->result != NULL || ret_message->error != NULL) &&
	    !json_member(&ret_message->place, "method", &member)) {
		ret_message->kind = RPC_RESPONSE;
		return 0;
	}
	return read_call(ret_message, ret_failure);
}

static void
put_head(struct strbuf *out, const json_value *id)
{
	strbuf_puts(out, "{\"jsonrpc\":\"2.0\"");
	if (id != NULL) {
		strbuf_puts(out, ",\"id\":");
		json_write(out, id, JSON_STYLE_COMPACT);
	}
}

void
rpc_put_result(struct strbuf *out, const json_value *id, const json_value *result)
{
	put_head(out, id);
	strbuf_puts(out, ",\"result\":");
	json_write(out, result, JSON_STYLE_COMPACT);
	strbuf_putc(out, '}');
}

void
rpc_put_error(struct strbuf *out, const json_value *id, bool null_id, enum rpc_code code,
	      const char *sentence, const json_value *data)
{
	put_head(out, id);
	if (id == NULL && null_id)
		strbuf_puts(out, ",\"id\":null");
	strbuf_printf(out, ",\"error\":{\"code\":%d,\"message\":", (int)code);
	strbuf_put_json(out, sentence);
	if (data != NULL) {
		strbuf_puts(out, ",\"data\":");
		json_write(out, data, JSON_STYLE_COMPACT);
	}
	strbuf_puts(out, "}}");
}

static void
put_call(struct strbuf *out, const char *method, const json_value *params)
{
	strbuf_puts(out, ",\"method\":");
	strbuf_put_json(out, method);
	if (params != NULL) {
		strbuf_puts(out, ",\"params\":");
		json_write(out, params, JSON_STYLE_COMPACT);
	}
	strbuf_putc(out, '}');
}

void
rpc_put_notification(struct strbuf *out, const char *method, const json_value *params)
{
	put_head(out, NULL);
	put_call(out, method, params);
}

void
rpc_put_request(struct strbuf *out, int64_t id, const char *method, const json_value *params)
{
	put_head(out, NULL);
	strbuf_printf(out, ",\"id\":%" PRId64, id);
	put_call(out, method, params);
}
