/*
 * What a guest asks of the client before it can answer. In the modern era the question is the answer,
 * and the client tries again; in the legacy one porta asks, and calls the guest again (GUEST: call).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "mcp/internal.h"
#include "util/mem.h"

/* Of one question: more than any client wants to be asked. */
#define REQUESTS_MAX 32

/* What a client must have said that it can do, for each thing that can be asked of it. */
struct askable {
	const char *method;
	const char *capability;
	enum mcp_version since;
};

static const struct askable askables[] = {
	{ "elicitation/create", "elicitation", MCP_2025_06_18 },
	{ "sampling/createMessage", "sampling", MCP_2024_11_05 },
	{ "roots/list", "roots", MCP_2024_11_05 },
};

static struct state_bound
bound_of(const struct mcp_exchange *exchange)
{
	return (struct state_bound){ .method = exchange->message.method,
				     .name = exchange->state_name,
				     .arguments = exchange->state_arguments };
}

/* An object of objects: each is the client's result of what it was asked. */
static bool
read_responses(struct mcp_exchange *exchange)
{
	struct json_place *responses = &exchange->input_responses;
	struct json_place member = { 0 };
	struct error err = ERROR_INIT;
	int r;

	if (!exchange_param(exchange, "inputResponses", responses)) {
		responses->value = NULL;
		return true;
	}
	r = json_expect(responses, JSON_KIND_OBJECT, &err);
	while (r == 0 && json_next_member(responses, &member))
		r = json_expect(&member, JSON_KIND_OBJECT, &err);
	if (r < 0)
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
	return r == 0;
}

bool
rounds_begin(struct mcp_exchange *exchange)
{
	const struct state_bound bound = bound_of(exchange);
	struct strbuf state = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct json_place place;
	const char *sealed;

	if (!mcp_is_modern(exchange->version))
		return true;
	if (!read_responses(exchange))
		return false;
	if (!exchange_param(exchange, "requestState", &place))
		return true;
	if (json_get_string(&place, &sealed, &err) < 0 ||
	    state_open(&exchange->server->settings->state_key, &bound, time(NULL), sealed, &state, &err) <
		0) {
		strbuf_done(&state);
		exchange_error(exchange, RPC_INVALID_PARAMS, NULL, "%s", err.message);
		return false;
	}
	exchange->guest_state = strbuf_take(&state);
	return true;
}

static const struct askable *
find_askable(const struct json_place *request, struct error *err)
{
	struct json_place member;
	const char *method;

	if (json_expect(request, JSON_KIND_OBJECT, err) < 0)
		return NULL;
	if (!json_member(request, "method", &member) || json_get_string(&member, &method, err) < 0) {
		json_error_at(err, -EINVAL, request, "the method is missing");
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(askables); i++) {
		if (str_equal(askables[i].method, method))
			return &askables[i];
	}
	json_error_at(err, -EINVAL, &member, "nothing of this name can be asked of a client");
	return NULL;
}

/* A form, unless it says "url", which a client names on its own (MCP 2025-11-25, elicitation). */
static const char *
part_of(const struct json_place *request)
{
	struct json_place params, mode;
	struct error unused;
	const char *name;

	if (json_member(request, "params", &params) && json_member(&params, "mode", &mode) &&
	    json_get_string(&mode, &name, &unused) == 0 && str_equal(name, "url"))
		return "url";
	return NULL;
}

static bool
can_be_asked(const struct mcp_exchange *exchange, const struct askable *askable,
	     const struct json_place *request)
{
	return exchange->version >= askable->since &&
	       exchange_client_can(exchange, askable->capability, part_of(request));
}

/* {"method", "params"}, as the schema wants it: roots/list has none, or empty ones. */
static json_value *
request_of(const struct json_place *request, const struct askable *askable)
{
	json_value *copy = json_new_object();
	struct json_place params;
	bool has_params = json_member(request, "params", &params) &&
			  json_kind_of(&params) == JSON_KIND_OBJECT;

	json_set(copy, "method", json_new_string(askable->method));
	json_set(copy, "params", has_params ? json_share(params.value) : json_new_object());
	return copy;
}

/*
 * Splits what the guest asks into what this client can be asked, and capabilities that it lacks. NULL: it is not
 * what a question looks like.
 */
static json_value *
select_requests(const struct mcp_exchange *exchange, const json_value *requests,
		json_value *missing, struct error *err)
{
	const struct json_place place = JSON_PLACE_OF(requests);
	struct json_place member = { 0 };
	json_value *selected;

	if (requests != NULL && json_count(&place) > REQUESTS_MAX) {
		error_set(err, -E2BIG, "more than %d things at once", REQUESTS_MAX);
		return NULL;
	}
	selected = json_new_object();
	while (requests != NULL && json_next_member(&place, &member)) {
		const struct askable *askable = find_askable(&member, err);

		if (askable == NULL) {
			json_free(selected);
			return NULL;
		}
		if (can_be_asked(exchange, askable, &member))
			json_set(selected, member.name, request_of(&member, askable));
		else
			json_set(missing, askable->capability, json_new_object());
	}
	return selected;
}

static size_t
members_of(const json_value *value)
{
	const struct json_place place = JSON_PLACE_OF(value);

	return json_count(&place);
}

/* Takes `selected`. */
static void
answer_with_question(struct mcp_exchange *exchange, json_value *selected, const char *state)
{
	const struct state_bound bound = bound_of(exchange);
	struct strbuf sealed = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_value *result = json_new_object();

	json_set(result, "resultType", json_new_string("input_required"));
	if (members_of(selected) > 0)
		json_set(result, "inputRequests", json_share(selected));
	json_free(selected);
	if (state != NULL) {
		if (state_seal(&exchange->server->settings->state_key, &bound, time(NULL), state,
			       &sealed, &err) < 0) {
			json_free(result);
			exchange_error(exchange, RPC_INTERNAL_ERROR, NULL, "%s", err.message);
			return;
		}
		json_set(result, "requestState", json_new_string(sealed.text));
		strbuf_done(&sealed);
	}
	exchange_result(exchange, result);
}

/* --- the legacy era */

static void
ask(struct mcp_exchange *exchange, const struct json_place *request)
{
	struct mcp_session *session = exchange->session;
	struct mcp_asked *asked = MEM_NEW(struct mcp_asked);
	struct strbuf text = STRBUF_INIT;
	struct json_place method, params;
	struct error unused;
	const char *name = "";

	json_member(request, "method", &method);
	json_member(request, "params", &params);
	(void)json_get_string(&method, &name, &unused);
	asked->id = ++session->asked_last;
	asked->key = mem_strdup(request->name);
	asked->exchange = exchange;
	asked->next = session->asked;
	session->asked = asked;
	exchange->asked_count++;
	rpc_put_request(&text, asked->id, name, params.value);
	exchange->stream->ops->send(exchange->stream, &text);
	strbuf_done(&text);
}

/* Takes `selected`. */
static void
ask_client(struct mcp_exchange *exchange, json_value *selected, const char *state)
{
	const struct json_place place = JSON_PLACE_OF(selected);
	struct json_place member = { 0 };

	free(exchange->guest_state);
	exchange->guest_state = state == NULL ? NULL : mem_strdup(state);
	json_free(exchange->collected);
	exchange->collected = json_new_object();
	while (json_next_member(&place, &member))
		ask(exchange, &member);
	json_free(selected);
	/* A guest that only wants its state back gets it at once. */
	if (exchange->asked_count == 0) {
		exchange->input_responses = (struct json_place)JSON_PLACE_OF(exchange->collected);
		guest_begin(exchange);
	}
}

static void
fail(struct mcp_exchange *exchange, const char *sentence)
{
	if (exchange->question.what == ANSWER_TOOL)
		exchange_result(exchange, answer_tool_error(sentence));
	else
		exchange_error(exchange, RPC_INTERNAL_ERROR, NULL, "%s", sentence);
}

/* Takes `missing`. */
static void
refuse_missing(struct mcp_exchange *exchange, json_value *missing)
{
	const struct json_place place = JSON_PLACE_OF(missing);
	struct json_place member = { 0 };
	struct strbuf sentence = STRBUF_INIT;

	strbuf_puts(&sentence, "the client cannot do what the agent asks for:");
	while (json_next_member(&place, &member))
		strbuf_printf(&sentence, " %s", member.name);
	if (mcp_is_modern(exchange->version)) {
		json_value *data = json_new_object();

		json_set(data, "requiredCapabilities", missing);
		exchange_error(exchange, RPC_MISSING_CAPABILITY, data, "%s", sentence.text);
	} else {
		json_free(missing);
		fail(exchange, sentence.text);
	}
	strbuf_done(&sentence);
}

void
rounds_ask(struct mcp_exchange *exchange, const json_value *requests, const char *state)
{
	json_value *missing = json_new_object();
	struct error err = ERROR_INIT;
	json_value *selected = select_requests(exchange, requests, missing, &err);

	if (selected == NULL) {
		_cleanup_free_ char *sentence = mem_printf("what the agent asks for: %s", err.message);

		json_free(missing);
		fail(exchange, sentence);
		return;
	}
	if (members_of(missing) > 0 && members_of(selected) == 0) {
		json_free(selected);
		refuse_missing(exchange, missing);
		return;
	}
	json_free(missing);
	if (!mcp_is_modern(exchange->version) && exchange->server->is_finishing) {
		json_free(selected);
		fail(exchange, "the server is ending, and asks nobody any more");
		return;
	}
	if (mcp_is_modern(exchange->version))
		answer_with_question(exchange, selected, state);
	else
		ask_client(exchange, selected, state);
}

static struct mcp_asked *
take_asked(struct mcp_session *session, const struct json_place *id)
{
	int64_t number;
	struct error unused;

	if (json_get_integer(id, 1, INT64_MAX, &number, &unused) < 0)
		return NULL;
	for (struct mcp_asked **at = &session->asked; *at != NULL; at = &(*at)->next) {
		struct mcp_asked *asked = *at;

		if (asked->id != number)
			continue;
		*at = asked->next;
		return asked;
	}
	return NULL;
}

/* The client did not do it: the whole request fails, with its words. */
static void
fail_by_client(struct mcp_exchange *exchange, const json_value *error)
{
	const struct json_place place = JSON_PLACE_OF(error);
	struct json_place member;
	struct error unused;
	const char *text = "no reason given";
	_cleanup_free_ char *sentence = NULL;

	if (json_kind_of(&place) == JSON_KIND_OBJECT && json_member(&place, "message", &member))
		(void)json_get_string(&member, &text, &unused);
	sentence = mem_printf("the client did not do what the agent asked for: %s", text);
	fail(exchange, sentence);
}

bool
rounds_take_response(struct mcp_session *session, const struct rpc_message *message)
{
	const struct json_place id = JSON_PLACE_OF(message->id);
	struct mcp_asked *asked = message->id == NULL ? NULL : take_asked(session, &id);
	struct mcp_exchange *exchange;
	struct json_place result;

	if (asked == NULL)
		return false;
	exchange = asked->exchange;
	result = (struct json_place)JSON_PLACE_OF(message->result);
	if (message->result != NULL && json_kind_of(&result) == JSON_KIND_OBJECT)
		json_set(exchange->collected, asked->key, json_share(message->result));
	free(asked->key);
	free(asked);
	exchange->asked_count--;
	if (message->error != NULL) {
		fail_by_client(exchange, message->error);
	} else if (exchange->asked_count == 0) {
		exchange->input_responses = (struct json_place)JSON_PLACE_OF(exchange->collected);
		guest_begin(exchange);
	}
	return true;
}

void
rounds_forget(struct mcp_exchange *exchange)
{
	struct mcp_asked **at = exchange->session == NULL ? NULL : &exchange->session->asked;

	while (at != NULL && *at != NULL) {
		struct mcp_asked *asked = *at;

		if (asked->exchange != exchange) {
			at = &asked->next;
			continue;
		}
		*at = asked->next;
		free(asked->key);
		free(asked);
	}
}
