/* MCP over HTTP; see http.h. */
#include "mcp/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "http/server.h"
#include "mcp/http_guard.h"
#include "mcp/replay.h"
#include "util/mem.h"
#include "wasm/worker.h"

#define SESSION_HEADER	  "Mcp-Session-Id"
#define SESSION_ID_BYTES  16
#define SWEEP_MS	  10000
/* So often something goes over a stream that has nothing to say. */
#define KEEP_ALIVE_MS	  15000
#define OUT_BYTES_FULL	  ((size_t)1024 * 1024)
/* An answer that takes longer becomes a stream, where the client can resume one: it learns how. */
#define SLOW_MS 2000
/* How long a client waits before it resumes a stream. */
#define RETRY_MS 1000

/* The answer to one POST, or the stream of a GET. */
struct http_stream {
	struct mcp_stream stream;
	struct mcp_http *http;
	struct http_exchange *exchange; /* NULL: the client has hung up */
	bool is_events;
	bool is_full;
	bool is_legacy; /* hanging up cancels nothing (MCP up to 2025-11-25, transports) */
	struct http_session *opens; /* by this answer: it says the id */
	struct http_session *session; /* of the legacy era, but where it opens one */
	struct replay_id last;	      /* of its events, once it is one of events */
	uint64_t since_ms;
	struct http_stream *next;
};

struct http_session {
	char id[2 * SESSION_ID_BYTES + 1];
	struct mcp_session *session;
	struct http_stream *listener; /* of a GET, maybe a broken one; NULL: there was none */
	struct replay replay;
	uint64_t used_ms;
	struct http_session *next;
};

struct mcp_http {
	struct mcp_http_settings settings;
	struct http_server *server;
	struct http_session *sessions;
	size_t sessions_count;
	struct http_stream *streams;
	struct event_timer *sweep;
	struct event_timer *keep_alive;
	struct event_timer *slow_timer;
	bool has_slow_timer;
	size_t replay_bytes;
	bool is_finishing;
	bool is_idle;
};

/* --- streams */

static void
free_stream(struct http_stream *stream)
{
	struct http_stream **at = &stream->http->streams;

	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	free(stream);
}

/* Before the first byte of an answer; the one that opens a session says its id. */
static void
put_headers(struct http_stream *stream)
{
	if (stream->opens != NULL)
		http_exchange_set_header(stream->exchange, SESSION_HEADER, stream->opens->id);
}

/* The first event of one that can be resumed says how. */
static void
prime(struct http_stream *stream)
{
	struct strbuf id = STRBUF_INIT;

	if (stream->session == NULL ||
	    !mcp_has_priming_events(mcp_session_version(stream->session->session)))
		return;
	replay_put_id(&id, stream->last);
	http_exchange_send_priming(stream->exchange, id.text, RETRY_MS);
	strbuf_done(&id);
}

static void
begin_events(struct http_stream *stream)
{
	stream->is_events = true;
	if (stream->session != NULL && stream != stream->session->listener)
		stream->last.stream = replay_new_stream(&stream->session->replay);
	put_headers(stream);
	http_exchange_begin_events(stream->exchange);
	prime(stream);
}

static void
send_kept(void *data, struct replay_id id, const struct strbuf *text)
{
	struct http_stream *stream = data;
	struct strbuf shown = STRBUF_INIT;

	replay_put_id(&shown, id);
	http_exchange_send_event(stream->exchange, shown.text, text);
	strbuf_done(&shown);
}

/* In a session an event is kept, for a connection that breaks, or is broken already. */
static void
send_event(struct http_stream *stream, const struct strbuf *text)
{
	if (stream->session == NULL) {
		if (stream->exchange != NULL)
			http_exchange_send_event(stream->exchange, NULL, text);
		return;
	}
	stream->last.number++;
	replay_add(&stream->session->replay, stream->last, text, worker_now_ms());
	if (stream->exchange != NULL)
		send_kept(stream, stream->last, text);
}

static void
stream_send(struct mcp_stream *base, const struct strbuf *text)
{
	struct http_stream *stream = (struct http_stream *)base;

	if (!stream->is_events && stream->exchange != NULL)
		begin_events(stream);
	if (stream->is_events)
		send_event(stream, text);
}

/* A session whose `initialize` failed never was: it goes when its request has ended. */
static void
settle_session(struct http_stream *stream)
{
	if (stream->opens == NULL || mcp_session_is_open(stream->opens->session))
		return;
	stream->opens = NULL;
	event_timer_set(stream->http->sweep, 0);
}

static void
stream_answer(struct mcp_stream *base, const struct strbuf *text, enum mcp_status status)
{
	struct http_stream *stream = (struct http_stream *)base;
	struct mcp_http *http = stream->http;

	settle_session(stream);
	if (stream->is_events) {
		if (text != NULL)
			send_event(stream, text);
		if (stream->exchange != NULL)
			http_exchange_end_events(stream->exchange);
	} else if (stream->exchange != NULL) {
		put_headers(stream);
		http_exchange_answer(stream->exchange,
				     text != NULL ? (int)status : (int)MCP_ACCEPTED,
				     text != NULL ? "application/json" : NULL, text);
	}
	free_stream(stream);
	if (http->is_finishing)
		event_timer_set(http->sweep, 0);
}

static bool
stream_is_full(struct mcp_stream *base)
{
	struct http_stream *stream = (struct http_stream *)base;

	stream->is_full =
	    stream->exchange != NULL && http_exchange_waiting(stream->exchange) >= OUT_BYTES_FULL;
	return stream->is_full;
}

static const struct mcp_stream_ops stream_ops = { .send = stream_send,
						  .answer = stream_answer,
						  .is_full = stream_is_full };

static struct http_stream *
new_stream(struct mcp_http *http, struct http_exchange *exchange)
{
	struct http_stream *stream = MEM_NEW(struct http_stream);

	stream->stream.ops = &stream_ops;
	stream->http = http;
	stream->exchange = exchange;
	stream->next = http->streams;
	http->streams = stream;
	stream->since_ms = worker_now_ms();
	http_exchange_set_user(exchange, stream);
	return stream;
}

static void
drained(void *data, void *user)
{
	struct mcp_http *http = data;
	struct http_stream *stream = user;

	if (stream == NULL || !stream->is_full)
		return;
	stream->is_full = false;
	mcp_server_drained(http->settings.server, &stream->stream);
}

static void
end_listener(struct http_stream *stream)
{
	stream->session->listener = NULL;
	mcp_session_set_stream(stream->session->session, NULL);
	if (stream->exchange != NULL)
		http_exchange_end_events(stream->exchange);
	free_stream(stream);
}

/* What a session's streams have to say meanwhile is kept for the client that comes back. */
static void
closed(void *data, void *user)
{
	struct mcp_http *http = data;
	struct http_stream *stream = user;

	if (stream == NULL)
		return;
	stream->exchange = NULL;
	if (!stream->is_legacy)
		mcp_server_hung_up(http->settings.server, &stream->stream);
	else
		mcp_server_drained(http->settings.server, &stream->stream);
}

/* Whether the client would be told by now that it can resume the stream, and is not. */
static bool
is_slow(const struct http_stream *stream)
{
	return !stream->is_events && stream->exchange != NULL && stream->session != NULL &&
	       mcp_has_priming_events(mcp_session_version(stream->session->session));
}

static void
look_at_slow(void *data)
{
	struct mcp_http *http = data;
	uint64_t now_ms = worker_now_ms();
	bool has_more = false;

	for (struct http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
		if (is_slow(stream) && now_ms - stream->since_ms >= SLOW_MS)
			begin_events(stream);
		has_more = has_more || is_slow(stream);
	}
	http->has_slow_timer = has_more;
	if (has_more)
		event_timer_set(http->slow_timer, SLOW_MS / 2);
}

/* --- sessions */

static void
free_session(struct mcp_http *http, struct http_session *session)
{
	struct http_session **at = &http->sessions;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	http->sessions_count--;
	if (session->listener != NULL)
		end_listener(session->listener);
	for (struct http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
		if (stream->opens == session)
			stream->opens = NULL;
	}
	mcp_session_free(session->session);
	replay_done(&session->replay);
	free(session);
}

static struct http_session *
find_session(struct mcp_http *http, const char *id)
{
	for (struct http_session *at = http->sessions; at != NULL; at = at->next) {
		if (str_equal(at->id, id)) {
			at->used_ms = worker_now_ms();
			return at;
		}
	}
	return NULL;
}

static void
drop_oldest_session(struct mcp_http *http)
{
	struct http_session *oldest = http->sessions;

	for (struct http_session *at = http->sessions; at != NULL; at = at->next) {
		if (at->used_ms < oldest->used_ms)
			oldest = at;
	}
	free_session(http, oldest);
}

static struct http_session *
new_session(struct mcp_http *http)
{
	struct http_session *session;
	uint8_t bytes[SESSION_ID_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return NULL;
	if (http->sessions_count >= MCP_HTTP_SESSIONS_MAX)
		drop_oldest_session(http);
	session = MEM_NEW(struct http_session);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(session->id + 2 * i, 3, "%02x", bytes[i]);
	session->session = mcp_session_new(http->settings.server, NULL);
	replay_init(&session->replay, &http->replay_bytes);
	session->used_ms = worker_now_ms();
	session->next = http->sessions;
	http->sessions = session;
	http->sessions_count++;
	return session;
}

/* Nobody uses it any more, or it never was opened. */
static bool
is_left(const struct mcp_http *http, const struct http_session *session, uint64_t now_ms)
{
	for (const struct http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
		if (stream->opens == session)
			return false;
	}
	return !mcp_session_is_open(session->session) ||
	       ((session->listener == NULL || session->listener->exchange == NULL) &&
		now_ms - session->used_ms > (uint64_t)MCP_HTTP_SESSION_SECONDS_MAX * 1000);
}

static void
swept(void *data)
{
	struct mcp_http *http = data;
	uint64_t now_ms = worker_now_ms();
	struct http_session *next;

	for (struct http_session *at = http->sessions; at != NULL; at = next) {
		next = at->next;
		replay_expire(&at->replay, now_ms);
		if (is_left(http, at, now_ms))
			free_session(http, at);
	}
	if (http->is_finishing && http->is_idle && http_server_busy(http->server) == 0)
		events_stop(http->settings.events);
	event_timer_set(http->sweep, http->is_finishing ? 10 : SWEEP_MS);
}

static void
keep_alive(void *data)
{
	struct mcp_http *http = data;

	for (struct http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
		if (stream->is_events && stream->exchange != NULL &&
		    http_exchange_waiting(stream->exchange) == 0)
			http_exchange_send_comment(stream->exchange);
	}
	event_timer_set(http->keep_alive, KEEP_ALIVE_MS);
}

/* --- requests */

static void
refuse(struct http_exchange *exchange, int status, const char *sentence)
{
	struct strbuf text = STRBUF_INIT;

	rpc_put_error(&text, NULL, false, RPC_INVALID_REQUEST, sentence, NULL);
	http_exchange_answer(exchange, status, "application/json", &text);
	strbuf_done(&text);
}

static void
refuse_busy(struct http_exchange *exchange, const char *sentence)
{
	http_exchange_set_header(exchange, "Retry-After", "1");
	refuse(exchange, 503, sentence);
}

static const char *
find_header(const void *data, const char *name)
{
	return http_exchange_header(data, name);
}

/* The session that a legacy message belongs to; NULL: the answer is sent. */
static struct http_session *
session_of(struct mcp_http *http, struct http_exchange *exchange)
{
	const char *id = http_exchange_header(exchange, SESSION_HEADER);
	const char *version = http_exchange_header(exchange, "MCP-Protocol-Version");
	struct http_session *session;
	enum mcp_version known;

	if (id == NULL) {
		refuse(exchange, 400, "the header Mcp-Session-Id is missing: initialize comes first");
		return NULL;
	}
	session = find_session(http, id);
	if (session == NULL) {
		refuse(exchange, 404, "there is no such session (any more)");
		return NULL;
	}
	if (version != NULL && !mcp_version_find(version, &known)) {
		refuse(exchange, 400, "the MCP-Protocol-Version is not one that is spoken here");
		return NULL;
	}
	return session;
}

static void
take_message(struct mcp_http *http, struct http_exchange *exchange, json_value *root, size_t bytes)
{
	const struct mcp_headers headers = {
		.protocol_version = http_exchange_header(exchange, "MCP-Protocol-Version"),
		.method = http_exchange_header(exchange, "Mcp-Method"),
		.name = http_exchange_header(exchange, "Mcp-Name"),
		.find = find_header,
		.data = exchange,
	};
	struct http_session *session = NULL;
	struct http_stream *stream;
	bool is_modern = mcp_is_modern_message(root, &headers);
	bool opens = !is_modern && mcp_is_initialize(root);

	if (!is_modern) {
		session = opens ? new_session(http) : session_of(http, exchange);
		if (session == NULL) {
			json_free(root);
			if (opens)
				refuse(exchange, 503, "no session can be opened");
			return;
		}
	}
	stream = new_stream(http, exchange);
	stream->is_legacy = !is_modern;
	stream->opens = opens ? session : NULL;
	stream->session = opens ? NULL : session;
	mcp_server_take(http->settings.server, session != NULL ? session->session : NULL, root, bytes,
			&stream->stream, &headers);
	if (session != NULL && !opens && !http->has_slow_timer)
		look_at_slow(http);
}

static void
post(struct mcp_http *http, struct http_exchange *exchange)
{
	struct rpc_failure failure;
	struct http_stream *stream;
	json_value *root;
	size_t length;
	const char *body;

	if (!http_guard_is_json(http_exchange_header(exchange, "Content-Type"))) {
		refuse(exchange, 415, "the Content-Type is not application/json");
		return;
	}
	if (!http_guard_accepts(http_exchange_header(exchange, "Accept"))) {
		refuse(exchange, 406, "Accept lacks application/json or text/event-stream");
		return;
	}
	if (mcp_server_is_full(http->settings.server)) {
		refuse_busy(exchange, "too many requests are under way");
		return;
	}
	body = http_exchange_body(exchange, &length);
	if (rpc_parse(body, length, &root, &failure) == 0) {
		take_message(http, exchange, root, length);
		return;
	}
	stream = new_stream(http, exchange);
	mcp_server_refuse(NULL, &failure, &stream->stream);
}

/* Another connection goes on with a stream. */
static void
resume(struct http_stream *stream, struct http_exchange *exchange, struct replay_id last)
{
	if (stream->exchange != NULL) {
		http_exchange_set_user(stream->exchange, NULL);
		http_exchange_end_events(stream->exchange);
	}
	stream->exchange = exchange;
	http_exchange_set_user(exchange, stream);
	http_exchange_begin_events(exchange);
	replay_each(&stream->session->replay, last, send_kept, stream);
}

/* The stream of a session for what belongs to no request. */
static void
listen_to(struct mcp_http *http, struct http_session *session, struct http_exchange *exchange)
{
	struct http_stream *stream = session->listener;

	if (stream != NULL) {
		resume(stream, exchange, stream->last);
		prime(stream);
		http_exchange_send_comment(exchange);
		return;
	}
	stream = new_stream(http, exchange);
	stream->is_legacy = true;
	stream->session = session;
	session->listener = stream;
	mcp_session_set_stream(session->session, &stream->stream);
	begin_events(stream);
	http_exchange_send_comment(exchange);
}

/* MCP up to 2025-11-25, transports: Resumability and Redelivery. */
static void
resume_from(struct mcp_http *http, struct http_session *session, struct http_exchange *exchange,
	    const char *text)
{
	struct http_stream over = { .exchange = exchange, .session = session };
	struct replay_id last;

	if (replay_parse_id(text, &last) < 0) {
		refuse(exchange, 400, "the Last-Event-ID is none of this session");
		return;
	}
	for (struct http_stream *at = http->streams; at != NULL; at = at->next) {
		if (at->session == session && at->is_events && at->last.stream == last.stream) {
			resume(at, exchange, last);
			return;
		}
	}
	if (replay_each(&session->replay, last, NULL, NULL) == 0) {
		refuse(exchange, 400, "nothing is kept behind this Last-Event-ID (any more)");
		return;
	}
	/* All of it is said. */
	http_exchange_begin_events(exchange);
	replay_each(&session->replay, last, send_kept, &over);
	http_exchange_end_events(exchange);
}

static void
get(struct mcp_http *http, struct http_exchange *exchange)
{
	const char *last = http_exchange_header(exchange, "Last-Event-ID");
	struct http_session *session;

	/* Without a session there is none: so says 2026-07-28, and allow the versions before. */
	if (http_exchange_header(exchange, SESSION_HEADER) == NULL) {
		http_exchange_set_header(exchange, "Allow", "POST");
		refuse(exchange, 405, "requests are POSTed");
		return;
	}
	session = session_of(http, exchange);
	if (session == NULL)
		return;
	if (last != NULL)
		resume_from(http, session, exchange, last);
	else
		listen_to(http, session, exchange);
}

static void
delete(struct mcp_http *http, struct http_exchange *exchange)
{
	struct http_session *session;

	if (http_exchange_header(exchange, SESSION_HEADER) == NULL) {
		http_exchange_set_header(exchange, "Allow", "POST");
		refuse(exchange, 405, "there is no session to end");
		return;
	}
	session = session_of(http, exchange);
	if (session == NULL)
		return;
	free_session(http, session);
	http_exchange_answer(exchange, 204, NULL, NULL);
}

static void
metrics(struct mcp_http *http, struct http_exchange *exchange)
{
	struct strbuf text = STRBUF_INIT;

	mcp_server_put_metrics(http->settings.server, &text);
	strbuf_printf(&text,
		      "# HELP porta_http_connections Open connections.\n# TYPE porta_http_connections gauge\n"
		      "porta_http_connections %zu\n",
		      http_server_connections(http->server));
	http_exchange_answer(exchange, 200, "text/plain; version=0.0.4", &text);
	strbuf_done(&text);
}

/* For pages of origins that are allowed (Fetch, CORS protocol). */
static void
put_cors(struct http_exchange *exchange, const char *origin)
{
	if (origin == NULL)
		return;
	http_exchange_set_header(exchange, "Access-Control-Allow-Origin", origin);
	http_exchange_set_header(exchange, "Access-Control-Expose-Headers", SESSION_HEADER);
	http_exchange_set_header(exchange, "Vary", "Origin");
}

static void
preflight(struct http_exchange *exchange)
{
	const char *headers = http_exchange_header(exchange, "Access-Control-Request-Headers");

	http_exchange_set_header(exchange, "Access-Control-Allow-Methods", "POST, GET, DELETE");
	if (headers != NULL)
		http_exchange_set_header(exchange, "Access-Control-Allow-Headers", headers);
	http_exchange_set_header(exchange, "Access-Control-Max-Age", "600");
	http_exchange_answer(exchange, 204, NULL, NULL);
}

/* false: the answer is sent. */
static bool
is_allowed(const struct mcp_http_settings *settings, struct http_exchange *exchange)
{
	const char *host = http_exchange_header(exchange, "Host");
	const char *origin = http_exchange_header(exchange, "Origin");

	if (!http_guard_host(host, settings->is_loopback, settings->allow_hosts)) {
		refuse(exchange, 403, "this Host is not one of this server (--allow-host)");
		return false;
	}
	if (!http_guard_origin(origin, host, settings->is_loopback, settings->allow_origins)) {
		refuse(exchange, 403, "pages of this Origin may not ask (--allow-origin)");
		return false;
	}
	put_cors(exchange, origin);
	if (str_equal(http_exchange_method(exchange), "OPTIONS"))
		return true;
	if (settings->token != NULL &&
	    !http_guard_token(http_exchange_header(exchange, "Authorization"), settings->token)) {
		http_exchange_set_header(exchange, "WWW-Authenticate", "Bearer");
		refuse(exchange, 401, "the bearer token is missing, or another one");
		return false;
	}
	return true;
}

static void
asked(void *data, struct http_exchange *exchange)
{
	struct mcp_http *http = data;
	const char *path = http_exchange_path(exchange);
	const char *method = http_exchange_method(exchange);
	bool is_mcp = str_equal(path, "/mcp");

	if (str_equal(path, "/healthz") && str_equal(method, "GET")) {
		http_exchange_answer(exchange, 200, "text/plain", NULL);
		return;
	}
	if (http_server_is_full(http->server)) {
		http_exchange_set_header(exchange, "Connection", "close");
		refuse_busy(exchange, "too many connections are open");
		return;
	}
	if (!is_allowed(&http->settings, exchange))
		return;
	if (str_equal(path, "/metrics") && str_equal(method, "GET")) {
		metrics(http, exchange);
	} else if (!is_mcp) {
		refuse(exchange, 404, "the endpoint is /mcp");
	} else if (str_equal(method, "POST")) {
		post(http, exchange);
	} else if (str_equal(method, "GET")) {
		get(http, exchange);
	} else if (str_equal(method, "DELETE")) {
		delete (http, exchange);
	} else if (str_equal(method, "OPTIONS")) {
		preflight(exchange);
	} else {
		http_exchange_set_header(exchange, "Allow", "POST, GET, DELETE");
		refuse(exchange, 405, "requests are POSTed");
	}
}

struct mcp_http *
mcp_http_new(const struct mcp_http_settings *settings, struct error *err)
{
	struct mcp_http *http = MEM_NEW(struct mcp_http);
	const struct http_server_settings server = { .events = settings->events,
						     .host = settings->host,
						     .port = settings->port,
						     .body_bytes_max = RPC_MESSAGE_BYTES_MAX,
						     .asked = asked,
						     .closed = closed,
						     .drained = drained,
						     .data = http };

	http->settings = *settings;
	http->server = http_server_new(&server, err);
	if (http->server == NULL) {
		free(http);
		return NULL;
	}
	http->sweep = event_timer_new(settings->events, swept, http);
	http->keep_alive = event_timer_new(settings->events, keep_alive, http);
	event_timer_set(http->sweep, SWEEP_MS);
	event_timer_set(http->keep_alive, KEEP_ALIVE_MS);
	http->slow_timer = event_timer_new(settings->events, look_at_slow, http);
	return http;
}

void
mcp_http_free(struct mcp_http *http)
{
	if (http == NULL)
		return;
	http_server_free(http->server);
	while (http->sessions != NULL)
		free_session(http, http->sessions);
	/* Of the legacy era, whose client has gone: the server drops what is left with them. */
	while (http->streams != NULL)
		mcp_server_hung_up(http->settings.server, &http->streams->stream);
	event_timer_free(http->sweep);
	event_timer_free(http->keep_alive);
	event_timer_free(http->slow_timer);
	free(http);
}

uint16_t
mcp_http_port(const struct mcp_http *http)
{
	return http_server_port(http->server);
}

static void
idle(void *data)
{
	struct mcp_http *http = data;

	http->is_idle = true;
	event_timer_set(http->sweep, 0);
}

void
mcp_http_finish(struct mcp_http *http)
{
	http->is_finishing = true;
	http_server_stop_listening(http->server);
	for (struct http_session *at = http->sessions; at != NULL; at = at->next) {
		if (at->listener != NULL)
			end_listener(at->listener);
	}
	mcp_server_finish(http->settings.server, idle, http);
}
