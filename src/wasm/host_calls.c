/* What a guest asks of porta; see host_calls.h. */
#include "wasm/host_calls.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"
#include "wasm/host_exec.h"
#include "wasm/host_http.h"

static bool
is_granted(const struct host_calls_context *context, enum capability capability)
{
	return (context->granted & (1U << capability)) != 0;
}

void
host_calls_put_error(struct strbuf *out, const char *sentence)
{
	_cleanup_json_ json_value *response = json_new_object();

	json_set(response, "error", json_new_string(sentence));
	json_write(out, response, JSON_STYLE_COMPACT);
}

/* {"type": "progress", ...} or {"type": "log", ...}; the response is empty. */
static int
emit(const struct host_calls_context *context, const struct json_place *request)
{
	struct error err = ERROR_INIT;
	struct json_place member;
	const char *type;

	if (!json_member(request, "type", &member) || json_get_string(&member, &type, &err) < 0 ||
	    (!str_equal(type, "progress") && !str_equal(type, "log")))
		return 1;
	if (context->emit != NULL)
		context->emit(context->emit_data, request->value);
	return 0;
}

static int
answer(const struct host_calls_context *context, enum host_function function,
       const struct json_place *request, struct strbuf *ret_response)
{
	switch (function) {
	case HOST_EMIT:
		return emit(context, request);
	case HOST_EXEC_COMMAND:
		if (!is_granted(context, CAPABILITY_EXEC))
			return 1;
		return host_exec_answer(context, request, ret_response);
	case HOST_HTTP_REQUEST:
		if (!is_granted(context, CAPABILITY_NET))
			return 1;
		host_http_answer(context, request, ret_response);
		return 0;
	case HOST_FUNCTION_COUNT:
		break;
	}
	return 1;
}

int
host_calls_answer(const struct host_calls_context *context, enum host_function function,
		  const char *request, size_t length, struct strbuf *ret_response)
{
	static const struct json_limits limits = { .bytes_max = HOST_CALL_REQUEST_MAX_BYTES,
						   .depth_max = HOST_CALL_DEPTH_MAX };
	_cleanup_json_ json_value *value = NULL;
	struct error err = ERROR_INIT;
	struct json_place place;

	if (json_parse(request, length, &limits, &value, &err) < 0)
		return 1;
	place = (struct json_place)JSON_PLACE_OF(value);
	if (json_expect(&place, JSON_KIND_OBJECT, &err) < 0)
		return 1;
	return answer(context, function, &place, ret_response);
}

int
host_calls_answer_message(const struct host_calls_context *context, const struct message *message,
			  struct strbuf *ret_reply)
{
	size_t start = ret_reply->length;
	uint32_t function;
	uint32_t status = 0;

	if (message->length < sizeof(function))
		return -EPROTO;
	memcpy(&function, message->bytes, sizeof(function));
	if (function >= HOST_FUNCTION_COUNT)
		return -EPROTO;
	strbuf_add(ret_reply, (const char *)&status, sizeof(status));
	status = (uint32_t)host_calls_answer(context, (enum host_function)function,
					     message->bytes + sizeof(function),
					     message->length - sizeof(function), ret_reply);
	memcpy(ret_reply->text + start, &status, sizeof(status));
	return 0;
}
