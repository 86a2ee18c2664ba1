/* From a guest's answer to a client's; see answer.h. */
#include "mcp/answer.h"

#include <errno.h>
#include <porta_server.h>
#include <string.h>

#include "mcp/content.h"
#include "util/mem.h"

#define DEPTH_MAX	      100
#define SCHEMA_SENTENCE_BYTES 512

json_value *
answer_tool_error(const char *sentence)
{
	json_value *result = json_new_object();
	json_value *content = json_new_array();

	json_append(content, content_text(sentence, strlen(sentence)));
	json_set(result, "content", content);
	json_set(result, "isError", json_new_bool(true));
	return result;
}

void
answer_done(struct answer *answer)
{
	json_free(answer->value);
	strbuf_done(&answer->sentence);
	free(answer->state);
}

static void
set_error(struct answer *answer, enum rpc_code code, const char *sentence)
{
	json_free(TAKE_PTR(answer->value));
	answer->kind = ANSWER_ERROR;
	answer->code = code;
	strbuf_puts(&answer->sentence, sentence);
}

/* The guest's own fault: it is told apart from what it says on purpose. */
static void
set_broken(const struct answer_question *question, const char *sentence, struct answer *answer)
{
	_cleanup_free_ char *text = mem_printf("the agent's answer is not what it should be: %s", sentence);

	answer_failed(question, text, answer);
}

void
answer_failed(const struct answer_question *question, const char *sentence, struct answer *answer)
{
	if (question->what != ANSWER_TOOL) {
		set_error(answer, RPC_INTERNAL_ERROR, sentence);
		return;
	}
	json_free(TAKE_PTR(answer->value));
	answer->kind = ANSWER_RESULT;
	answer->value = answer_tool_error(sentence);
}

/* A string is text; anything else is its JSON. */
static void
put_text(const struct json_place *value, struct strbuf *out)
{
	const char *text;
	struct error unused;

	if (json_kind_of(value) == JSON_KIND_STRING && json_get_string(value, &text, &unused) == 0)
		strbuf_puts(out, text);
	else
		json_write(out, value->value, JSON_STYLE_COMPACT);
	/* So that it is never NULL. */
	strbuf_puts(out, "");
}

static bool
may_be_structured(const struct answer_question *question, const struct json_place *value)
{
	return mcp_has_structured(question->version) &&
	       (json_kind_of(value) == JSON_KIND_OBJECT || mcp_has_any_structured(question->version));
}

/* Whether a value keeps to the tool's outputSchema. */
static bool
keeps_schema(const struct answer_question *question, const struct json_place *value,
	     struct answer *answer)
{
	char sentence[SCHEMA_SENTENCE_BYTES];
	struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *whole = NULL;
	bool keeps;

	json_write(&text, value->value, JSON_STYLE_COMPACT);
	keeps = porta_schema_check(question->tool->output, text.text, text.length, sentence,
				   sizeof(sentence));
	strbuf_done(&text);
	if (keeps)
		return true;
	whole = mem_printf("it breaks the tool's outputSchema %s", sentence);
	set_broken(question, whole, answer);
	return false;
}

static bool
has_output_schema(const struct answer_question *question)
{
	return question->tool != NULL && question->tool->output != NULL;
}

/* {"ok": value} of a tool. */
static void
read_tool_value(const struct answer_question *question, const struct json_place *value,
		struct answer *answer)
{
	struct strbuf text = STRBUF_INIT;
	json_value *content;

	if (has_output_schema(question) && !keeps_schema(question, value, answer))
		return;
	put_text(value, &text);
	content = json_new_array();
	json_append(content, content_text(text.text, text.length));
	strbuf_done(&text);
	answer->value = json_new_object();
	json_set(answer->value, "content", content);
	if (has_output_schema(question) && may_be_structured(question, value))
		json_set(answer->value, "structuredContent", json_share(value->value));
}

static bool
is_error_result(const struct json_place *place)
{
	struct json_place member;
	struct error unused;
	bool is_error = false;

	return json_member(place, "isError", &member) &&
	       json_get_bool(&member, &is_error, &unused) == 0 && is_error;
}

/* An object that is a tool's result itself. */
static void
read_tool_result(const struct answer_question *question, const struct json_place *place,
		 struct answer *answer)
{
	struct json_place structured, member;
	struct error err = ERROR_INIT;
	bool has_structured = json_member(place, "structuredContent", &structured);
	json_value *content;

	if (has_output_schema(question) && !is_error_result(place)) {
		if (!has_structured) {
			set_broken(question, "the structuredContent that its outputSchema asks for is missing",
				   answer);
			return;
		}
		if (!keeps_schema(question, &structured, answer))
			return;
	}
	if (json_member(place, "content", &member)) {
		content = content_list(&member, question->version, &err);
		if (content == NULL) {
			set_broken(question, err.message, answer);
			return;
		}
	} else {
		content = json_new_array();
		if (has_structured) {
			struct strbuf text = STRBUF_INIT;

			json_write(&text, structured.value, JSON_STYLE_COMPACT);
			json_append(content, content_text(text.text, text.length));
			strbuf_done(&text);
		}
	}
	answer->value = json_new_object();
	json_set(answer->value, "content", content);
	if (has_structured && may_be_structured(question, &structured))
		json_set(answer->value, "structuredContent", json_share(structured.value));
	if (json_member(place, "isError", &member) && json_kind_of(&member) == JSON_KIND_BOOL)
		json_set(answer->value, "isError", json_share(member.value));
	if (json_member(place, "_meta", &member) && json_kind_of(&member) == JSON_KIND_OBJECT)
		json_set(answer->value, "_meta", json_share(member.value));
}

/* One content of the URI that was asked for. */
static void
read_resource_value(const struct answer_question *question, const struct json_place *value,
		    struct answer *answer)
{
	json_value *contents = json_new_array();
	json_value *content = json_new_object();
	struct strbuf text = STRBUF_INIT;

	put_text(value, &text);
	json_set(content, "uri", json_new_string(question->uri));
	json_set(content, "text", json_new_text(text.text, text.length));
	strbuf_done(&text);
	json_append(contents, content);
	answer->value = json_new_object();
	json_set(answer->value, "contents", contents);
}

static void
read_resource_result(const struct answer_question *question, const struct json_place *list,
		     struct answer *answer)
{
	struct error err = ERROR_INIT;
	json_value *contents = json_new_array();
	int r = json_expect(list, JSON_KIND_ARRAY, &err);

	for (size_t i = 0; r == 0 && i < json_count(list); i++) {
		struct json_place item;
		json_value *content;

		json_item(list, i, &item);
		content = content_resource(&item, &err);
		if (content == NULL)
			r = -EINVAL;
		else
			json_append(contents, content);
	}
	if (r < 0) {
		json_free(contents);
		set_broken(question, err.message, answer);
		return;
	}
	answer->value = json_new_object();
	json_set(answer->value, "contents", contents);
}

/* {"role", "content"}; takes `content`. */
static json_value *
new_message(const char *role, json_value *content)
{
	json_value *message = json_new_object();

	json_set(message, "role", json_new_string(role));
	json_set(message, "content", content);
	return message;
}

static void
read_prompt_value(const struct json_place *value, struct answer *answer)
{
	json_value *messages = json_new_array();
	struct strbuf text = STRBUF_INIT;

	put_text(value, &text);
	json_append(messages, new_message("user", content_text(text.text, text.length)));
	strbuf_done(&text);
	answer->value = json_new_object();
	json_set(answer->value, "messages", messages);
}

static json_value *
read_message(const struct json_place *place, enum mcp_version version, struct error *err)
{
	struct json_place role, content;
	const char *name;
	json_value *block;

	if (json_expect(place, JSON_KIND_OBJECT, err) < 0)
		return NULL;
	if (!json_member(place, "role", &role) || !json_member(place, "content", &content)) {
		json_error_at(err, -EINVAL, place, "a message has a role and a content");
		return NULL;
	}
	if (json_get_string(&role, &name, err) < 0)
		return NULL;
	if (!str_equal(name, "user") && !str_equal(name, "assistant")) {
		json_error_at(err, -EINVAL, &role, "neither user nor assistant");
		return NULL;
	}
	block = content_block(&content, version, err);
	return block == NULL ? NULL : new_message(name, block);
}

static void
read_prompt_result(const struct answer_question *question, const struct json_place *place,
		   const struct json_place *list, struct answer *answer)
{
	struct json_place description;
	struct error err = ERROR_INIT;
	json_value *messages = json_new_array();
	int r = json_expect(list, JSON_KIND_ARRAY, &err);

	for (size_t i = 0; r == 0 && i < json_count(list); i++) {
		struct json_place item;
		json_value *message;

		json_item(list, i, &item);
		message = read_message(&item, question->version, &err);
		if (message == NULL)
			r = -EINVAL;
		else
			json_append(messages, message);
	}
	if (r < 0) {
		json_free(messages);
		set_broken(question, err.message, answer);
		return;
	}
	answer->value = json_new_object();
	json_set(answer->value, "messages", messages);
	if (json_member(place, "description", &description) &&
	    json_kind_of(&description) == JSON_KIND_STRING)
		json_set(answer->value, "description", json_share(description.value));
}

/* `values` an array of strings, of which so many are passed on as a client takes. */
static void
read_completion(const struct answer_question *question, const struct json_place *values,
		const struct json_place *rest, struct answer *answer)
{
	json_value *completion = json_new_object();
	json_value *taken = json_new_array();
	struct json_place member;
	struct error err = ERROR_INIT;
	int r = json_expect(values, JSON_KIND_ARRAY, &err);
	size_t count = r == 0 ? json_count(values) : 0;

	for (size_t i = 0; r == 0 && i < MIN(count, (size_t)ANSWER_COMPLETIONS_MAX); i++) {
		struct json_place item;

		json_item(values, i, &item);
		r = json_expect(&item, JSON_KIND_STRING, &err);
		if (r == 0)
			json_append(taken, json_share(item.value));
	}
	json_set(completion, "values", taken);
	if (r < 0) {
		json_free(completion);
		set_broken(question, err.message, answer);
		return;
	}
	if (rest != NULL && json_member(rest, "total", &member) &&
	    json_kind_of(&member) == JSON_KIND_INTEGER)
		json_set(completion, "total", json_share(member.value));
	if (count > ANSWER_COMPLETIONS_MAX)
		json_set(completion, "hasMore", json_new_bool(true));
	else if (rest != NULL && json_member(rest, "hasMore", &member) &&
		 json_kind_of(&member) == JSON_KIND_BOOL)
		json_set(completion, "hasMore", json_share(member.value));
	answer->value = json_new_object();
	json_set(answer->value, "completion", completion);
}

static void
read_value(const struct answer_question *question, const struct json_place *value,
	   struct answer *answer)
{
	answer->kind = ANSWER_RESULT;
	switch (question->what) {
	case ANSWER_TOOL:
		read_tool_value(question, value, answer);
		break;
	case ANSWER_RESOURCE:
		read_resource_value(question, value, answer);
		break;
	case ANSWER_PROMPT:
		read_prompt_value(value, answer);
		break;
	case ANSWER_COMPLETION:
		read_completion(question, value, NULL, answer);
		break;
	}
}

static void
read_refusal(const struct answer_question *question, const struct json_place *value,
	     struct answer *answer)
{
	struct strbuf text = STRBUF_INIT;

	put_text(value, &text);
	if (question->what == ANSWER_TOOL) {
		answer->kind = ANSWER_RESULT;
		answer->value = answer_tool_error(text.text);
	} else {
		set_error(answer,
			  question->what == ANSWER_RESOURCE && !mcp_is_modern(question->version)
			      ? RPC_RESOURCE_NOT_FOUND
			      : RPC_INVALID_PARAMS,
			  text.text);
	}
	strbuf_done(&text);
}

/* {"inputRequests": {...}, "requestState": "..."} */
static bool
read_input(const struct json_place *place, struct answer *answer)
{
	struct json_place requests, state;
	const char *text;
	struct error unused;
	bool has_requests = json_member(place, "inputRequests", &requests) &&
			    json_kind_of(&requests) == JSON_KIND_OBJECT;
	bool has_state = json_member(place, "requestState", &state) &&
			 json_get_string(&state, &text, &unused) == 0;

	if (!has_requests && !has_state)
		return false;
	answer->kind = ANSWER_INPUT;
	if (has_requests)
		answer->value = json_share(requests.value);
	if (has_state)
		answer->state = mem_strdup(text);
	return true;
}

/* An object that is a result itself; false where it is none. */
static bool
read_result(const struct answer_question *question, const struct json_place *place,
	    struct answer *answer)
{
	struct json_place member, values;

	if (question->what != ANSWER_COMPLETION && read_input(place, answer))
		return true;
	answer->kind = ANSWER_RESULT;
	switch (question->what) {
	case ANSWER_TOOL:
		if (!json_member(place, "content", &member) &&
		    !json_member(place, "structuredContent", &member) &&
		    !json_member(place, "isError", &member))
			return false;
		read_tool_result(question, place, answer);
		return true;
	case ANSWER_RESOURCE:
		if (!json_member(place, "contents", &member))
			return false;
		read_resource_result(question, &member, answer);
		return true;
	case ANSWER_PROMPT:
		if (!json_member(place, "messages", &member))
			return false;
		read_prompt_result(question, place, &member, answer);
		return true;
	case ANSWER_COMPLETION:
		if (!json_member(place, "completion", &member) || !json_member(&member, "values", &values))
			return false;
		read_completion(question, &values, &member, answer);
		return true;
	}
	return false;
}

void
answer_read(const struct answer_question *question, const char *output, size_t length,
	    struct answer *ret_answer)
{
	static const struct json_limits limits = { .bytes_max = RPC_MESSAGE_BYTES_MAX * 4,
						   .depth_max = DEPTH_MAX };
	_cleanup_json_ json_value *root = NULL;
	struct error unused;
	struct json_place place, member;

	if (json_parse(output, length, &limits, &root, &unused) < 0)
		root = json_new_text(output, length);
	place = (struct json_place)JSON_PLACE_OF(root);
	if (json_kind_of(&place) == JSON_KIND_OBJECT) {
		if (read_result(question, &place, ret_answer))
			return;
		if (json_member(&place, "ok", &member)) {
			read_value(question, &member, ret_answer);
			return;
		}
		if (json_member(&place, "err", &member)) {
			read_refusal(question, &member, ret_answer);
			return;
		}
	}
	read_value(question, &place, ret_answer);
}
