/* One call of a guest; see guest_call.h. */
#include "mcp/guest_call.h"

#include <errno.h>
#include <string.h>

#include "mcp/host_process.h"
#include "util/mem.h"
#include "wasm/agent.h"
#include "wasm/worker.h"

/* A call that takes longer is given any processor. */
#define SHORT_MS 1

struct guest_call {
	struct events *events;
	struct pool *pool;
	struct pool_user user;
	struct pool_worker *worker; /* once it is given */
	struct strbuf input;	    /* of the message CALL, until it is sent */
	enum host_function function;
	struct host_calls_context host;
	struct host_process *process; /* once it asked for something that takes its time */
	struct event_timer *timer;    /* the deadline; without a guest also the beginning */
	uint64_t timeout_ms;
	enum { STAGE_NEW, STAGE_SHORT, STAGE_LONG } stage;
	bool is_held; /* an event waits to be answered */
	bool (*emitted)(void *data, const json_value *event);
	void (*ended)(void *data, const struct guest_end *end);
	void *data;
};

static void
free_call(struct guest_call *call, bool is_broken)
{
	if (call->pool != NULL)
		pool_leave(call->pool, &call->user, is_broken);
	host_process_free(call->process);
	event_timer_free(call->timer);
	strbuf_done(&call->input);
	free(call);
}

static void
finish(struct guest_call *call, const struct guest_end *end, bool is_broken)
{
	struct pool *pool = call->pool;

	/* Who hears it may let go of the agent, and so of the pool. */
	if (pool != NULL)
		pool_hold(pool);
	call->ended(call->data, end);
	free_call(call, is_broken);
	if (pool != NULL)
		pool_let_go(pool);
}

static void
fail(struct guest_call *call, const char *sentence)
{
	finish(call, &(const struct guest_end){ .sentence = sentence }, true);
}

static void
reply(struct guest_call *call, uint32_t status)
{
	struct strbuf bytes = STRBUF_INIT;

	strbuf_add(&bytes, (const char *)&status, sizeof(status));
	pool_send(call->worker, MESSAGE_REPLY, &bytes);
	strbuf_done(&bytes);
}

static void
given(void *data, struct pool_worker *worker)
{
	struct guest_call *call = data;

	call->worker = worker;
	pool_follow(worker);
	pool_send(worker, MESSAGE_CALL, &call->input);
	strbuf_done(&call->input);
}

static void
lost(void *data, const char *sentence)
{
	fail(data, sentence);
}

/* host_calls_context.emit */
static void
emit(void *data, const json_value *event)
{
	struct guest_call *call = data;

	call->is_held = !call->emitted(call->data, event);
}

static void
answer_emit(struct guest_call *call, const char *request, size_t length)
{
	struct strbuf unused = STRBUF_INIT;
	int status = host_calls_answer(&call->host, HOST_EMIT, request, length, &unused);

	strbuf_done(&unused);
	if (!call->is_held)
		reply(call, (uint32_t)status);
}

/* What porta itself answers, without a guest: the response of a host call. */
static void
finish_alone(struct guest_call *call, const struct strbuf *bytes)
{
	const char *response = bytes->text + sizeof(uint32_t);
	uint32_t status;

	memcpy(&status, bytes->text, sizeof(status));
	if (status != 0) {
		fail(call, "the request is not of the right form");
		return;
	}
	finish(call,
	       &(const struct guest_end){ .is_answered = true,
					  .output = response,
					  .output_length = bytes->length - sizeof(uint32_t) },
	       false);
}

static void
replied(void *data, const struct strbuf *bytes)
{
	struct guest_call *call = data;

	if (bytes == NULL)
		fail(call, "the process that does what the agent asks for has ended");
	else if (call->pool == NULL)
		finish_alone(call, bytes);
	else
		pool_send(call->worker, MESSAGE_REPLY, bytes);
}

static void
ask_host(struct guest_call *call, enum host_function function, const char *request, size_t length)
{
	struct error err = ERROR_INIT;

	if (call->process == NULL)
		call->process = host_process_new(call->events, &call->host, replied, call, &err);
	if (call->process == NULL)
		fail(call, err.message);
	else
		host_process_ask(call->process, function, request, length);
}

/* false: it is no call of a worker of ours. */
static bool
take_host_call(struct guest_call *call, const struct message *message)
{
	uint32_t function;

	if (message->length < sizeof(function) || call->is_held)
		return false;
	memcpy(&function, message->bytes, sizeof(function));
	if (function >= HOST_FUNCTION_COUNT)
		return false;
	if (function == HOST_EMIT)
		answer_emit(call, message->bytes + sizeof(function), message->length - sizeof(function));
	else
		ask_host(call, (enum host_function)function, message->bytes + sizeof(function),
			 message->length - sizeof(function));
	return true;
}

static void
take_result(struct guest_call *call, const struct protocol_end *result)
{
	struct guest_end end = { .output = result->output, .output_length = result->output_length };
	struct error err = ERROR_INIT;
	int r = agent_judge_end(result, &err);

	end.is_answered = r == 0;
	if (r > 0)
		error_set(&err, -ECANCELED, "the agent ended with the code %u", result->value);
	end.sentence = err.message;
	finish(call, &end, false);
}

static void
heard(void *data, const struct message *message)
{
	struct guest_call *call = data;
	struct protocol_end result;

	if (message->kind == MESSAGE_HOST_CALL && take_host_call(call, message))
		return;
	if (message->kind == MESSAGE_RESULT &&
	    protocol_end_get(message->bytes, message->length, &result) == 0) {
		take_result(call, &result);
		return;
	}
	fail(call, "the worker that runs the agent says nonsense");
}

static void
begin(struct guest_call *call)
{
	call->stage = STAGE_SHORT;
	event_timer_set(call->timer, MIN(call->timeout_ms, (uint64_t)SHORT_MS));
	if (call->pool == NULL)
		ask_host(call, call->function, call->input.text, call->input.length);
	else
		pool_want(call->pool, &call->user);
}

/* First the beginning, then the end of being short, then the end. */
static void
time_is_over(void *data)
{
	struct guest_call *call = data;
	struct strbuf sentence = STRBUF_INIT;

	if (call->stage == STAGE_NEW) {
		begin(call);
		return;
	}
	if (call->stage == STAGE_SHORT && call->timeout_ms > SHORT_MS) {
		call->stage = STAGE_LONG;
		if (call->worker != NULL)
			pool_let_run(call->worker);
		event_timer_set(call->timer, call->timeout_ms - SHORT_MS);
		return;
	}
	strbuf_printf(&sentence, "timed out after %g s (--timeout)", (double)call->timeout_ms / 1000);
	fail(call, sentence.text);
	strbuf_done(&sentence);
}

struct guest_call *
guest_call_new(const struct guest_call_start *start)
{
	struct guest_call *call = MEM_NEW(struct guest_call);

	call->events = start->events;
	call->pool = start->pool;
	call->user = (struct pool_user){ .given = given, .heard = heard, .lost = lost, .data = call };
	call->function = start->function;
	call->host = *start->host;
	call->host.deadline_ms = worker_now_ms() + start->timeout_ms;
	call->host.signal_fd = -1;
	call->host.emit = emit;
	call->host.emit_data = call;
	call->timeout_ms = start->timeout_ms;
	call->emitted = start->emitted;
	call->ended = start->ended;
	call->data = start->data;
	if (call->pool != NULL)
		strbuf_add(&call->input, start->entry, strlen(start->entry) + 1);
	strbuf_add(&call->input, start->input, start->input_length);
	call->timer = event_timer_new(start->events, time_is_over, call);
	if (call->pool == NULL || !pool_is_ready(call->pool)) {
		event_timer_set(call->timer, 0);
		return call;
	}
	/* At once: nothing can end it before its worker says something. */
	begin(call);
	return call;
}

void
guest_call_cancel(struct guest_call *call)
{
	if (call != NULL)
		free_call(call, true);
}

void
guest_call_resume(struct guest_call *call)
{
	if (!call->is_held)
		return;
	call->is_held = false;
	reply(call, 0);
}

static void
put_member(struct strbuf *out, const char *name, const json_value *value)
{
	if (value == NULL)
		return;
	strbuf_puts(out, ",\"");
	strbuf_puts(out, name);
	strbuf_puts(out, "\":");
	json_write(out, value, JSON_STYLE_COMPACT);
}

void
guest_call_put_input(struct strbuf *out, const char *tool, const json_value *arguments,
		     const json_value *input_responses, const json_value *request_state)
{
	size_t start = out->length;
	uint32_t length = 0;

	strbuf_add(out, (const char *)&length, sizeof(length));
	strbuf_puts(out, "{\"tool\":");
	strbuf_put_json(out, tool);
	if (arguments == NULL)
		strbuf_puts(out, ",\"arguments\":{}");
	put_member(out, "arguments", arguments);
	put_member(out, "inputResponses", input_responses);
	put_member(out, "requestState", request_state);
	strbuf_putc(out, '}');
	/* Little-endian, as each machine is that this runs on. */
	length = (uint32_t)(out->length - start - sizeof(length));
	memcpy(out->text + start, &length, sizeof(length));
}
