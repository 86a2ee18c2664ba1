/* The methods of MCP that a guest answers; see internal.h. */
#include <errno.h>
#include <porta_server.h>
#include <string.h>

#include "mcp/internal.h"
#include "mcp/param_headers.h"
#include "util/clock.h"
#include "util/mem.h"

#define SCHEMA_SENTENCE_BYTES 512
/* A client that answers each question with another call: more than any dialogue needs. */
#define ROUNDS_MAX 32

/* --- while the guest runs */

static void
send_progress(struct mcp_exchange *exchange, const struct json_place *event)
{
	static const char *const numbers[] = { "progress", "total" };
	struct json_place member;
	struct error unused;
	double progress = 0;
	json_value *params;

	if (exchange->progress_token == NULL || !json_member(event, "progress", &member) ||
	    json_get_number(&member, &progress, &unused) < 0 ||
	    (exchange->has_progress && progress <= exchange->progress))
		return;
	exchange->has_progress = true;
	exchange->progress = progress;
	params = json_new_object();
	json_set(params, "progressToken", json_share(exchange->progress_token));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		double number;

		if (json_member(event, numbers[i], &member) &&
		    json_get_number(&member, &number, &unused) == 0)
			json_set(params, numbers[i], json_share(member.value));
	}
	if (mcp_has_tool_annotations(exchange->version) && json_member(event, "message", &member) &&
	    json_kind_of(&member) == JSON_KIND_STRING)
		json_set(params, "message", json_share(member.value));
	exchange_notify(exchange, "notifications/progress", params);
	json_free(params);
}

static void
send_log(struct mcp_exchange *exchange, const struct json_place *event)
{
	struct json_place member;
	struct error unused;
	enum log_level level = LOG_LEVEL_INFO;
	/* A client may change it while the call runs. */
	enum log_level least = exchange->session != NULL ? exchange->session->log_level
							 : exchange->log_level;
	const char *name = "info";
	json_value *params;

	if (json_member(event, "level", &member) &&
	    (json_get_string(&member, &name, &unused) < 0 || !log_level_find(name, &level)))
		return;
	if (least == LOG_LEVEL_NONE || level < least)
		return;
	params = json_new_object();
	json_set(params, "level", json_new_string(name));
	if (json_member(event, "logger", &member) && json_kind_of(&member) == JSON_KIND_STRING)
		json_set(params, "logger", json_share(member.value));
	json_set(params, "data",
		 json_member(event, "data", &member) ? json_share(member.value) : json_new_null());
	exchange_notify(exchange, "notifications/message", params);
	json_free(params);
}

static bool
emitted(void *data, const json_value *value)
{
	struct mcp_exchange *exchange = data;
	const struct json_place event = JSON_PLACE_OF(value);
	struct json_place type;
	struct error unused;
	const char *name = "";

	if (json_member(&event, "type", &type))
		(void)json_get_string(&type, &name, &unused);
	if (str_equal(name, "progress"))
		send_progress(exchange, &event);
	else
		send_log(exchange, &event);
	return !exchange->stream->ops->is_full(exchange->stream);
}

/* --- its end */

/* Its answer is the exchange's, unless it is a question. */
static void
give_answer(struct mcp_exchange *exchange, struct answer *answer)
{
	switch (answer->kind) {
	case ANSWER_RESULT:
		if (exchange->question.what == ANSWER_RESOURCE)
			exchange_set_cache(exchange, answer->value, 0);
		exchange_result(exchange, TAKE_PTR(answer->value));
		break;
	case ANSWER_ERROR: {
		json_value *data = NULL;

		if (exchange->question.what == ANSWER_RESOURCE) {
			data = json_new_object();
			json_set(data, "uri", json_new_string(exchange->question.uri));
		}
		exchange_error(exchange, answer->code, data, "%s", answer->sentence.text);
		break;
	}
	case ANSWER_INPUT:
		rounds_ask(exchange, answer->value, answer->state);
		break;
	}
}

/* What porta's own tools could not do is {"error": sentence}. */
static bool
read_builtin_error(const struct guest_end *end, struct answer *answer)
{
	static const struct json_limits limits = { .bytes_max = MESSAGE_BYTES_MAX,
						   .depth_max = RPC_DEPTH_MAX };
	_cleanup_json_ json_value *root = NULL;
	struct json_place place, member;
	struct error unused;
	const char *sentence;

	if (json_parse(end->output, end->output_length, &limits, &root, &unused) < 0)
		return false;
	place = (struct json_place)JSON_PLACE_OF(root);
	if (!json_member(&place, "error", &member) || json_get_string(&member, &sentence, &unused) < 0)
		return false;
	answer->kind = ANSWER_RESULT;
	answer->value = answer_tool_error(sentence);
	return true;
}

static void
ended(void *data, const struct guest_end *end)
{
	struct mcp_exchange *exchange = data;
	struct mcp_metrics *metrics = &exchange->server->metrics;
	const struct catalog_tool *tool = exchange->question.tool;
	struct answer answer = ANSWER_INIT;

	exchange->call = NULL;
	metrics->calls[end->is_answered ? 0 : 1]++;
	metrics->call_us += (clock_now_ns() - exchange->called_ns) / 1000;
	if (!end->is_answered)
		answer_failed(&exchange->question, end->sentence, &answer);
	else if (tool == NULL || (tool->origin != TOOL_EXEC && tool->origin != TOOL_HTTP) ||
		 !read_builtin_error(end, &answer))
		answer_read(&exchange->question, end->output, end->output_length, &answer);
	give_answer(exchange, &answer);
	answer_done(&answer);
}

/* --- its beginning */

static void
call_builtin(struct mcp_exchange *exchange, struct guest_call_start *start)
{
	struct strbuf request = STRBUF_INIT;

	start->function = exchange->question.tool->origin == TOOL_EXEC ? HOST_EXEC_COMMAND
								      : HOST_HTTP_REQUEST;
	json_write(&request, exchange->guest_arguments, JSON_STYLE_COMPACT);
	start->input = request.text;
	start->input_length = request.length;
	exchange->call = guest_call_new(start);
	strbuf_done(&request);
}

void
guest_begin(struct mcp_exchange *exchange)
{
	const struct catalog_tool *tool = exchange->question.tool;
	struct strbuf input = STRBUF_INIT;
	_cleanup_json_ json_value *state = NULL;
	struct guest_call_start start = {
		.events = exchange->server->events,
		.entry = tool != NULL && tool->origin == TOOL_OF_FUNCTION ? tool->name : "",
		.host = &exchange->edition->host,
		.timeout_ms = exchange->server->settings->timeout_ms,
		.emitted = emitted,
		.ended = ended,
		.data = exchange,
	};

	exchange->called_ns = clock_now_ns();
	if (tool != NULL && (tool->origin == TOOL_EXEC || tool->origin == TOOL_HTTP)) {
		call_builtin(exchange, &start);
		return;
	}
	if (++exchange->rounds > ROUNDS_MAX) {
		exchange_error(exchange, RPC_INTERNAL_ERROR, NULL,
			       "the agent asked more than %d times", ROUNDS_MAX);
		return;
	}
	if (exchange->guest_state != NULL)
		state = json_new_string(exchange->guest_state);
	guest_call_put_input(&input, exchange->guest_tool, exchange->guest_arguments,
			     exchange->input_responses.value, state);
	start.pool = exchange->edition->pool;
	start.input = input.text;
	start.input_length = input.length;
	exchange->call = guest_call_new(&start);
	strbuf_done(&input);
}

/* Of all that a guest answers: the version, and the agent as it is now. */
static void
set_question(struct mcp_exchange *exchange, enum answer_for what, const char *guest_tool)
{
	exchange->edition = edition_use(exchange->server->edition);
	exchange->question.what = what;
	exchange->question.version = exchange->version;
	exchange->guest_tool = guest_tool;
}

/* "arguments", an object, where they are; NULL: there are none. false: the error is sent. */
static bool
read_arguments(struct mcp_exchange *exchange, const json_value **ret_arguments)
{
	struct json_place place;
	struct error err = ERROR_INIT;

	*ret_arguments = NULL;
	if (!exchange_param(exchange, "arguments", &place))
		return true;
	if (json_expect(&place, JSON_KIND_OBJECT, &err) < 0) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
		return false;
	}
	*ret_arguments = place.value;
	return true;
}

static bool
check_param_headers(struct mcp_exchange *exchange, const struct catalog_tool *tool)
{
	const struct mcp_headers *headers = exchange->headers;
	struct error err = ERROR_INIT;

	if (headers == NULL || !mcp_is_modern(exchange->version))
		return true;
	for (size_t i = 0; i < tool->headers_count; i++) {
		const char *value = headers->find(headers->data, tool->headers[i].name);

		if (!param_header_matches(&tool->headers[i], exchange->guest_arguments, value, &err)) {
			exchange_error(exchange, RPC_HEADER_MISMATCH, NULL, "%s", err.message);
			return false;
		}
	}
	return true;
}

/* Whether the arguments keep to the tool's inputSchema. */
static bool
check_input(struct mcp_exchange *exchange, const struct catalog_tool *tool)
{
	char sentence[SCHEMA_SENTENCE_BYTES];
	struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *whole = NULL;
	bool keeps;

	json_write(&text, exchange->guest_arguments, JSON_STYLE_COMPACT);
	keeps = porta_schema_check(tool->input, text.text, text.length, sentence, sizeof(sentence));
	strbuf_done(&text);
	if (keeps)
		return true;
	whole = mem_printf("the arguments break the tool's inputSchema %s", sentence);
	if (mcp_has_input_errors(exchange->version))
		exchange_result(exchange, answer_tool_error(whole));
	else
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", whole);
	return false;
}

void
method_tools_call(struct mcp_exchange *exchange)
{
	const struct catalog_tool *tool;
	const char *name;

	if (!exchange_text_param(exchange, "name", &name) ||
	    !read_arguments(exchange, &exchange->guest_arguments))
		return;
	tool = catalog_find_tool(&exchange->server->edition->catalog, name);
	if (tool == NULL) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "there is no tool of this name");
		return;
	}
	set_question(exchange, ANSWER_TOOL, tool->name);
	exchange->question.tool = tool;
	exchange->state_name = tool->name;
	exchange->state_arguments = exchange->guest_arguments;
	if (!check_param_headers(exchange, tool) || !rounds_begin(exchange))
		return;
	if (exchange->guest_arguments == NULL)
		exchange->guest_arguments = exchange->own_arguments = json_new_object();
	if (check_input(exchange, tool))
		guest_begin(exchange);
}

void
method_resources_read(struct mcp_exchange *exchange)
{
	const char *uri;

	if (!exchange_text_param(exchange, "uri", &uri))
		return;
	set_question(exchange, ANSWER_RESOURCE, "_resource_read");
	exchange->question.uri = uri;
	exchange->state_name = uri;
	exchange->guest_arguments = exchange->own_arguments = json_new_object();
	json_set(exchange->own_arguments, "uri", json_new_string(uri));
	if (rounds_begin(exchange))
		guest_begin(exchange);
}

/* Each value a string, each that is required there. */
static bool
check_prompt_arguments(struct mcp_exchange *exchange, const struct manifest_prompt *prompt,
		       const json_value *arguments)
{
	const struct json_place place = JSON_PLACE_OF(arguments);
	struct json_place member = { 0 };
	struct error err = ERROR_INIT;

	while (arguments != NULL && json_next_member(&place, &member)) {
		if (json_expect(&member, JSON_KIND_STRING, &err) < 0) {
			exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "arguments: %s", err.message);
			return false;
		}
	}
	for (size_t i = 0; i < prompt->arguments_count; i++) {
		if (prompt->arguments[i].required &&
		    (arguments == NULL || !json_member(&place, prompt->arguments[i].name, &member))) {
			exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "the argument %s is missing",
				       prompt->arguments[i].name);
			return false;
		}
	}
	return true;
}

void
method_prompts_get(struct mcp_exchange *exchange)
{
	const struct manifest_prompt *prompt;
	const json_value *arguments;
	const char *name;

	if (!exchange_text_param(exchange, "name", &name) || !read_arguments(exchange, &arguments))
		return;
	prompt = catalog_find_prompt(&exchange->server->edition->catalog, name);
	if (prompt == NULL) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "there is no prompt of this name");
		return;
	}
	if (!check_prompt_arguments(exchange, prompt, arguments))
		return;
	set_question(exchange, ANSWER_PROMPT, "_prompt_get");
	exchange->state_name = prompt->name;
	exchange->state_arguments = arguments;
	exchange->guest_arguments = exchange->own_arguments = json_new_object();
	json_set(exchange->own_arguments, "prompt", json_new_string(name));
	json_set(exchange->own_arguments, "arguments",
		 arguments == NULL ? json_new_object() : json_share(arguments));
	if (rounds_begin(exchange))
		guest_begin(exchange);
}

/* {"ref": {"type": "ref/prompt", "name"} or {"type": "ref/resource", "uri"}, "argument": {"name", "value"}} */
static bool
check_completion(struct mcp_exchange *exchange, struct error *err)
{
	struct json_place ref, type, named, argument, member;
	const char *text = "";
	const char *name;
	bool is_prompt;

	if (!exchange_param(exchange, "ref", &ref) || !exchange_param(exchange, "argument", &argument) ||
	    !json_member(&ref, "type", &type) || !json_member(&argument, "name", &member) ||
	    json_get_string(&type, &text, err) < 0 || json_get_string(&member, &name, err) < 0 ||
	    !json_member(&argument, "value", &member) || json_get_string(&member, &name, err) < 0)
		return error_set(err, -EINVAL, "ref and argument are not what they should be") == 0;
	is_prompt = str_equal(text, "ref/prompt");
	if (!is_prompt && !str_equal(text, "ref/resource"))
		return error_set(err, -EINVAL, "there is no reference of this type") == 0;
	if (!json_member(&ref, is_prompt ? "name" : "uri", &named) ||
	    json_get_string(&named, &name, err) < 0)
		return error_set(err, -EINVAL, "the reference does not say to what") == 0;
	if (is_prompt && catalog_find_prompt(&exchange->server->edition->catalog, name) == NULL)
		return error_set(err, -EINVAL, "there is no prompt of this name") == 0;
	return true;
}

void
method_completion(struct mcp_exchange *exchange)
{
	static const char *const names[] = { "ref", "argument", "context" };
	struct error err = ERROR_INIT;
	struct json_place member;

	if (!check_completion(exchange, &err)) {
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
		return;
	}
	set_question(exchange, ANSWER_COMPLETION, "_complete");
	exchange->guest_arguments = exchange->own_arguments = json_new_object();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (exchange_param(exchange, names[i], &member))
			json_set(exchange->own_arguments, names[i], json_share(member.value));
	}
	guest_begin(exchange);
}
