/* porta.http_request; see host_http.h. */
#include "wasm/host_http.h"

#include <errno.h>
#include <stdlib.h>

#include "util/mem.h"

#define PROGRAM_NAME "porta-http"
#define SENTENCE_BYTES_MAX 4096
/* Where the certificates are that the machine's owner trusts, as OpenSSL's c_rehash(1) page says. */
static const char *const certificate_variables[] = { "SSL_CERT_FILE", "SSL_CERT_DIR" };

void
host_http_end(struct host_http *http)
{
	worker_end(&http->worker);
	*http = (struct host_http)HOST_HTTP_INIT;
}

/* The run's network rules, nothing to write to, nothing to read but the system's own directories. */
struct http_sandbox {
	struct policy policy;
	struct policy_mount mounts[ARRAY_SIZE(certificate_variables)];
	struct strv environment;
};

static void
make_sandbox(const struct policy *policy, struct http_sandbox *ret_sandbox)
{
	struct policy *sandbox = &ret_sandbox->policy;

	*ret_sandbox = (struct http_sandbox){ .policy = *policy, .environment = STRV_INIT };
	sandbox->mounts = ret_sandbox->mounts;
	sandbox->mounts_count = 0;
	sandbox->read_mode = READ_MODE_LISTED;
	sandbox->allow_bind = (struct net_rules){ 0 };
	sandbox->allow_unix = (struct strv)STRV_INIT;
	sandbox->allow_exec_set = false;
	sandbox->allow_exec = (struct strv)STRV_INIT;
	sandbox->env = (struct env_request){ 0 };
	sandbox->limits = (struct policy_limits){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(certificate_variables); i++) {
		char *path = getenv(certificate_variables[i]);

		if (path == NULL || path[0] != '/')
			continue;
		strv_take(&ret_sandbox->environment, mem_printf("%s=%s", certificate_variables[i], path));
		sandbox->mounts[sandbox->mounts_count++] =
		    (struct policy_mount){ .host = path, .read_only = true, .text = path };
	}
}

static json_value *
texts_of(const struct net_rules *rules)
{
	json_value *list = json_new_array();

	for (size_t i = 0; i < rules->count; i++)
		json_append(list, json_new_string(rules->items[i].text));
	return list;
}

static int
tell(const struct host_calls_context *context, enum message_kind kind, const json_value *value,
     struct error *err)
{
	const struct worker_patience patience = { .deadline_ms = context->deadline_ms,
						  .signal_fd = context->signal_fd };
	struct strbuf text = STRBUF_INIT;
	int r;

	json_write(&text, value, JSON_STYLE_COMPACT);
	r = worker_tell(&context->http->worker, kind, &text, &patience, err);
	strbuf_done(&text);
	return r;
}

static int
configure(const struct host_calls_context *context, struct error *err)
{
	const struct policy *policy = context->policy;
	_cleanup_json_ json_value *config = json_new_object();

	json_set(config, "net", json_new_string(net_mode_name(policy->net_mode)));
	json_set(config, "allow_net", texts_of(&policy->allow_net));
	json_set(config, "deny_net", texts_of(&policy->deny_net));
	json_set(config, "allow_private", json_new_bool(policy->allow_private));
	return tell(context, MESSAGE_CONFIG, config, err);
}

static int
start(const struct host_calls_context *context, struct error *err)
{
	static const struct broker_options quiet = { .quiet = true };
	struct worker *worker = &context->http->worker;
	struct http_sandbox sandbox;
	struct worker_start how = {
		.program = PROGRAM_NAME,
		.code_fd = -1,
		.output_fd = -1,
		.signal_mask = context->signal_mask,
		.sandbox = &sandbox.policy,
		.broker = &quiet,
		.environment = &sandbox.environment,
		.directory = "/",
	};
	int r;

	make_sandbox(context->policy, &sandbox);
	r = worker_start(worker, &how, err);
	strv_done(&sandbox.environment);
	return r < 0 ? r : configure(context, err);
}

static int
send_request(const struct host_calls_context *context, const struct json_place *request,
	     struct error *err)
{
	_cleanup_json_ json_value *call = json_new_object();
	uint64_t now_ms = worker_now_ms();
	uint64_t left_ms = 0;

	if (context->deadline_ms != 0)
		left_ms = context->deadline_ms > now_ms ? context->deadline_ms - now_ms : 1;
	json_set(call, "request", json_share(request->value));
	json_set(call, "timeout_ms", json_new_integer((int64_t)MIN(left_ms, (uint64_t)INT32_MAX)));
	return tell(context, MESSAGE_CALL, call, err);
}

/* 0 and the response; or a sentence, after which the process is of no use any more. */
static int
receive(const struct host_calls_context *context, struct strbuf *ret_response, struct error *err)
{
	struct message message;

	switch (worker_wait(&context->http->worker, MESSAGE_BYTES_MAX, context->deadline_ms,
			    context->signal_fd, &message, NULL)) {
	case WORKER_MESSAGE:
		if (message.kind == MESSAGE_RESULT) {
			strbuf_add(ret_response, message.bytes, message.length);
			return 0;
		}
		if (message.kind == MESSAGE_FAILED)
			return error_set(err, -ECHILD, "the HTTP client does not run: %.*s",
					 (int)MIN(message.length, (size_t)SENTENCE_BYTES_MAX), message.bytes);
		break;
	case WORKER_TIMEOUT:
		return error_set(err, -ETIMEDOUT, "the request timed out");
	case WORKER_SIGNAL:
		return error_set(err, -EINTR, "porta is ending");
	case WORKER_ENDED:
	case WORKER_OUTPUT:
	case WORKER_NONSENSE:
		break;
	}
	return error_set(err, -ECHILD, "the HTTP client has ended");
}

static bool
may_reach_something(const struct policy *policy)
{
	return policy->net_mode == NET_MODE_RULES ||
	       (policy->net_mode_set && policy->net_mode != NET_MODE_BLOCKED);
}

void
host_http_answer(const struct host_calls_context *context, const struct json_place *request,
		 struct strbuf *ret_response)
{
	struct error err = ERROR_INIT;
	int r = 0;

	if (!may_reach_something(context->policy)) {
		host_calls_put_error(ret_response, "no HTTP request may be made: --allow-net names what may be reached");
		return;
	}
	if (context->http->worker.pid < 0)
		r = start(context, &err);
	if (r == 0)
		r = send_request(context, request, &err);
	if (r == 0)
		r = receive(context, ret_response, &err);
	if (r < 0) {
		host_http_end(context->http);
		host_calls_put_error(ret_response, err.message);
	}
}
