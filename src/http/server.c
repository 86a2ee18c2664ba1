/* An HTTP server; see server.h. */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "http/connections.h"
#include "util/mem.h"

/* Of connections, for who is told that the server is full, or asks whether it lives. */
#define RESERVE 32

struct http_server {
	struct http_server_settings settings;
	struct evhttp *http;
	struct evhttp_bound_socket *socket;
	struct http_connections *connections;
	struct http_exchange *open; /* not answered yet */
	size_t busy;
	uint16_t port;
};

struct http_exchange {
	struct http_server *server;
	struct evhttp_request *request;
	struct evhttp_connection *connection;
	char *path;
	void *user;
	bool is_streaming;
	struct http_exchange *next;
};

static void
free_exchange(struct http_exchange *exchange)
{
	struct http_exchange **at = &exchange->server->open;

	while (*at != exchange)
		at = &(*at)->next;
	*at = exchange->next;
	free(exchange->path);
	free(exchange);
}

/* The answer is out whole. */
static void
completed(struct evhttp_request *request, void *data)
{
	struct http_server *server = data;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);

	server->busy--;
	http_connections_sent(server->connections, evhttp_connection_get_bufferevent(connection));
}

static void
tell_closed(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;
	void *user = exchange->user;

	server->busy--;
	free_exchange(exchange);
	server->settings.closed(server->settings.data, user);
}

/* evhttp closes the connection: what the exchange stands on is gone. */
static void
connection_closed(struct evhttp_connection *connection, void *data)
{
	struct http_exchange *exchange = data;
	struct evhttp_request *request = exchange->request;

	(void)connection;
	/* A request that evhttp has let go of is ours to free. */
	if (evhttp_request_get_connection(request) == NULL)
		evhttp_request_free(request);
	tell_closed(exchange);
}

/* While the answer is thought about: only whether the client is still there. */
static void
waiting_event(struct bufferevent *bev, short what, void *data)
{
	struct http_exchange *exchange = data;

	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		evhttp_connection_free(exchange->connection);
}

static void
set_timeouts(const struct http_exchange *exchange, bool is_on)
{
	const struct timeval idle = { .tv_sec = HTTP_SERVER_IDLE_SECONDS };
	struct bufferevent *bev = evhttp_connection_get_bufferevent(exchange->connection);

	bufferevent_set_timeouts(bev, is_on ? &idle : NULL, is_on ? &idle : NULL);
}

static void
take(struct evhttp_request *request, void *data)
{
	struct http_server *server = data;
	struct http_exchange *exchange = MEM_NEW(struct http_exchange);
	const char *uri = evhttp_request_get_uri(request);
	struct bufferevent *bev;

	exchange->server = server;
	exchange->request = request;
	exchange->connection = evhttp_request_get_connection(request);
	exchange->path = mem_strndup(uri, strcspn(uri, "?#"));
	exchange->next = server->open;
	server->open = exchange;
	server->busy++;
	evhttp_request_set_on_complete_cb(request, completed, server);
	evhttp_connection_set_closecb(exchange->connection, connection_closed, exchange);
	bev = evhttp_connection_get_bufferevent(exchange->connection);
	bufferevent_setcb(bev, NULL, NULL, waiting_event, exchange);
	bufferevent_enable(bev, EV_READ);
	set_timeouts(exchange, false);
	http_connections_asked(server->connections, bev);
	server->settings.asked(server->settings.data, exchange);
}

/* Out of descriptors: its time comes again with the next look at the connections. The data is evhttp's own. */
static void
listen_failed(struct evconnlistener *listener, void *data)
{
	(void)data;
	evconnlistener_disable(listener);
}

static size_t
connections_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return HTTP_SERVER_CONNECTIONS_MAX;
	if (limit.rlim_cur < (rlim_t)2 * HTTP_SERVER_DESCRIPTORS_KEPT)
		return MAX((size_t)limit.rlim_cur / 2, (size_t)1);
	return MIN((size_t)limit.rlim_cur - HTTP_SERVER_DESCRIPTORS_KEPT,
		   (size_t)HTTP_SERVER_CONNECTIONS_MAX);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

struct http_server *
http_server_new(const struct http_server_settings *settings, struct error *err)
{
	struct http_server *server = MEM_NEW(struct http_server);
	const struct http_connections_limits limits = {
		.count_max = connections_max(),
		.reserve = RESERVE,
		.transfer_ms = settings->transfer_ms > 0 ? settings->transfer_ms
							 : (uint64_t)HTTP_SERVER_TRANSFER_SECONDS * 1000,
		.received_bytes_max = HTTP_SERVER_RECEIVED_BYTES_MAX,
	};
	struct evconnlistener *listener;

	server->settings = *settings;
	server->http = evhttp_new(events_base(settings->events));
	server->connections = http_connections_new(settings->events, server->http, &limits);
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE |
						     EVHTTP_REQ_OPTIONS | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
						     EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(server->http, (ev_ssize_t)HTTP_SERVER_HEADER_BYTES_MAX);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)settings->body_bytes_max);
	evhttp_set_timeout(server->http, HTTP_SERVER_IDLE_SECONDS);
	evhttp_set_default_content_type(server->http, NULL);
	evhttp_set_gencb(server->http, take, server);
	server->socket =
	    evhttp_bind_socket_with_handle(server->http, settings->host, settings->port);
	if (server->socket == NULL) {
		error_set_errno(err, -errno, "cannot listen on %s, port %u", settings->host,
				settings->port);
		http_server_free(server);
		return NULL;
	}
	server->port = port_of(evhttp_bound_socket_get_fd(server->socket));
	listener = evhttp_bound_socket_get_listener(server->socket);
	evconnlistener_set_error_cb(listener, listen_failed);
	http_connections_set_listener(server->connections, listener);
	return server;
}

void
http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	evhttp_free(server->http);
	http_connections_free(server->connections);
	free(server);
}

uint16_t
http_server_port(const struct http_server *server)
{
	return server->port;
}

void
http_server_stop_listening(struct http_server *server)
{
	http_connections_set_listener(server->connections, NULL);
	if (server->socket != NULL)
		evhttp_del_accept_socket(server->http, TAKE_PTR(server->socket));
}

size_t
http_server_busy(const struct http_server *server)
{
	return server->busy;
}

size_t
http_server_connections(const struct http_server *server)
{
	return http_connections_count(server->connections);
}

bool
http_server_is_full(const struct http_server *server)
{
	return http_connections_are_busy(server->connections);
}

const char *
http_exchange_method(const struct http_exchange *exchange)
{
	switch (evhttp_request_get_command(exchange->request)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	default:
		return "";
	}
}

const char *
http_exchange_path(const struct http_exchange *exchange)
{
	return exchange->path;
}

const char *
http_exchange_header(const struct http_exchange *exchange, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(exchange->request), name);
}

const char *
http_exchange_body(const struct http_exchange *exchange, size_t *ret_length)
{
	struct evbuffer *buffer = evhttp_request_get_input_buffer(exchange->request);

	*ret_length = evbuffer_get_length(buffer);
	return *ret_length == 0 ? "" : (const char *)evbuffer_pullup(buffer, -1);
}

void
http_exchange_set_user(struct http_exchange *exchange, void *user)
{
	exchange->user = user;
}

void
http_exchange_set_header(struct http_exchange *exchange, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(exchange->request), name, value);
}

static const char *
reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },		  { 202, "Accepted" },
		{ 204, "No Content" },	  { 400, "Bad Request" },
		{ 401, "Unauthorized" },  { 403, "Forbidden" },
		{ 404, "Not Found" },	  { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 415, "Unsupported Media Type" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Error";
}

/* From here on the request is evhttp's, and so is its connection. */
static struct evhttp_request *
let_go(struct http_exchange *exchange)
{
	struct evhttp_request *request = exchange->request;

	evhttp_connection_set_closecb(exchange->connection, NULL, NULL);
	set_timeouts(exchange, true);
	http_connections_answered(exchange->server->connections,
				  evhttp_connection_get_bufferevent(exchange->connection));
	free_exchange(exchange);
	return request;
}

void
http_exchange_answer(struct http_exchange *exchange, int status, const char *content_type,
		     const struct strbuf *body)
{
	struct evbuffer *buffer = evbuffer_new();
	struct evhttp_request *request;

	if (content_type != NULL)
		http_exchange_set_header(exchange, "Content-Type", content_type);
	if (body != NULL)
		evbuffer_add(buffer, body->text, body->length);
	request = let_go(exchange);
	evhttp_send_reply(request, status, reason_of(status), buffer);
	evbuffer_free(buffer);
}

void
http_exchange_begin_events(struct http_exchange *exchange)
{
	http_exchange_set_header(exchange, "Content-Type", "text/event-stream");
	http_exchange_set_header(exchange, "Cache-Control", "no-cache, no-transform");
	/* Nobody between keeps events back (MCP 2026-07-28, Streamable HTTP). */
	http_exchange_set_header(exchange, "X-Accel-Buffering", "no");
	exchange->is_streaming = true;
	evhttp_send_reply_start(exchange->request, 200, "OK");
}

static void
chunk_sent(struct evhttp_connection *connection, void *data)
{
	struct http_exchange *exchange = data;

	(void)connection;
	exchange->server->settings.drained(exchange->server->settings.data, exchange->user);
}

/* Takes `buffer`. */
static void
send_chunk(struct http_exchange *exchange, struct evbuffer *buffer)
{
	evhttp_send_reply_chunk_with_cb(exchange->request, buffer, chunk_sent, exchange);
	evbuffer_free(buffer);
}

void
http_exchange_send_event(struct http_exchange *exchange, const char *id, const struct strbuf *data)
{
	struct evbuffer *buffer = evbuffer_new();

	if (id != NULL)
		evbuffer_add_printf(buffer, "id: %s\n", id);
	evbuffer_add_printf(buffer, "event: message\ndata: ");
	evbuffer_add(buffer, data->text, data->length);
	evbuffer_add_printf(buffer, "\n\n");
	send_chunk(exchange, buffer);
}

void
http_exchange_send_priming(struct http_exchange *exchange, const char *id, unsigned int retry_ms)
{
	struct evbuffer *buffer = evbuffer_new();

	evbuffer_add_printf(buffer, "id: %s\nretry: %u\ndata: \n\n", id, retry_ms);
	send_chunk(exchange, buffer);
}

void
http_exchange_send_comment(struct http_exchange *exchange)
{
	struct evbuffer *buffer = evbuffer_new();

	evbuffer_add_printf(buffer, ":\n\n");
	send_chunk(exchange, buffer);
}

void
http_exchange_end_events(struct http_exchange *exchange)
{
	evhttp_send_reply_end(let_go(exchange));
}

size_t
http_exchange_waiting(const struct http_exchange *exchange)
{
	return evbuffer_get_length(
	    bufferevent_get_output(evhttp_connection_get_bufferevent(exchange->connection)));
}
