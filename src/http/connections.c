/* The connections of an HTTP server; see connections.h. */
#include "http/connections.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/socket.h>

#include "util/clock.h"
#include "util/mem.h"

#define CHECK_MS 500
/* An answer that goes out gets so long even where others want the place. */
#define SENDING_MS_MIN 10000

enum connection_state {
	STATE_WAITING, /* for a request, or the rest of it */
	STATE_BUSY,
	STATE_SENDING, /* the answer goes out */
	STATE_ENDING,  /* it was cut off: evhttp closes it when it sees that */
};

struct connection {
	struct http_connections *connections;
	struct bufferevent *bev; /* a reference of our own */
	enum connection_state state;
	uint64_t since_ms;
	size_t received_bytes; /* of a request that is not whole */
	struct connection *next;
};

struct http_connections {
	struct http_connections_limits limits;
	struct events *events;
	struct evconnlistener *listener;
	struct connection *first; /* the newest */
	size_t count;		  /* all that evhttp has not closed, as far as is known */
	size_t received_bytes;
	struct event_timer *check_timer;
};

/*
 * evhttp does not tell when it closes a connection; bufferevent_free takes the callbacks away, which
 * are there as long as a connection lives.
 */
static bool
is_closed(const struct connection *connection)
{
	bufferevent_event_cb callback;

	bufferevent_getcb(connection->bev, NULL, NULL, &callback, NULL);
	return callback == NULL;
}

static void
set_received(struct connection *connection, size_t bytes)
{
	connection->connections->received_bytes -= connection->received_bytes;
	connection->connections->received_bytes += bytes;
	connection->received_bytes = bytes;
}

static void
drop_closed(struct http_connections *connections)
{
	struct connection **at = &connections->first;

	while (*at != NULL) {
		struct connection *connection = *at;

		if (!is_closed(connection)) {
			at = &connection->next;
			continue;
		}
		*at = connection->next;
		connections->count--;
		set_received(connection, 0);
		bufferevent_decref(connection->bev);
		free(connection);
	}
}

static void
cut_off(struct connection *connection)
{
	connection->state = STATE_ENDING;
	set_received(connection, 0);
	(void)shutdown(bufferevent_getfd(connection->bev), SHUT_RDWR);
}

/* Whose place another one may have. */
static bool
may_go(const struct connection *connection, uint64_t now_ms)
{
	return connection->state == STATE_WAITING ||
	       (connection->state == STATE_SENDING && now_ms - connection->since_ms >= SENDING_MS_MIN);
}

static void
cut_off_oldest(struct http_connections *connections)
{
	struct connection *oldest = NULL;
	uint64_t now_ms = clock_now_ms();

	/* Of the same age, the one that came first. */
	for (struct connection *at = connections->first; at != NULL; at = at->next) {
		if (may_go(at, now_ms) && (oldest == NULL || at->since_ms <= oldest->since_ms))
			oldest = at;
	}
	if (oldest != NULL)
		cut_off(oldest);
}

static void
cut_off_largest(struct http_connections *connections)
{
	struct connection *largest = NULL;

	for (struct connection *at = connections->first; at != NULL; at = at->next) {
		if (at->received_bytes > 0 &&
		    (largest == NULL || at->received_bytes > largest->received_bytes))
			largest = at;
	}
	if (largest != NULL)
		cut_off(largest);
}

/* What has come is counted also where evhttp has taken it on: it is kept until the request is whole. */
static void
received(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *data)
{
	struct connection *connection = data;
	struct http_connections *connections = connection->connections;

	(void)buffer;
	if (info->n_added == 0 || connection->state != STATE_WAITING)
		return;
	set_received(connection, connection->received_bytes + info->n_added);
	if (connections->received_bytes <= connections->limits.received_bytes_max)
		return;
	drop_closed(connections);
	cut_off_largest(connections);
}

static size_t
count_in_state(const struct http_connections *connections, enum connection_state state)
{
	size_t count = 0;

	for (const struct connection *at = connections->first; at != NULL; at = at->next)
		count += at->state == state ? 1 : 0;
	return count;
}

/* Those that are cut off count until evhttp has closed them. */
static bool
is_over(const struct http_connections *connections)
{
	return connections->count >= connections->limits.count_max + connections->limits.reserve;
}

/* evhttp makes a connection. */
static struct bufferevent *
opened(struct event_base *base, void *data)
{
	struct http_connections *connections = data;
	struct connection *connection = MEM_NEW(struct connection);

	drop_closed(connections);
	/* evhttp closes the descriptor itself. */
	connection->bev = bufferevent_socket_new(base, -1, 0);
	if (connection->bev == NULL) {
		free(connection);
		return NULL;
	}
	bufferevent_incref(connection->bev);
	evbuffer_add_cb(bufferevent_get_input(connection->bev), received, connection);
	connection->connections = connections;
	connection->since_ms = clock_now_ms();
	if (connections->count - count_in_state(connections, STATE_ENDING) >= connections->limits.count_max)
		cut_off_oldest(connections);
	connection->next = connections->first;
	connections->first = connection;
	connections->count++;
	if (is_over(connections) && connections->listener != NULL)
		evconnlistener_disable(connections->listener);
	return connection->bev;
}

static void
check(void *data)
{
	struct http_connections *connections = data;
	uint64_t now_ms = clock_now_ms();

	drop_closed(connections);
	for (struct connection *at = connections->first; at != NULL; at = at->next) {
		if ((at->state == STATE_WAITING || at->state == STATE_SENDING) &&
		    now_ms - at->since_ms > connections->limits.transfer_ms)
			cut_off(at);
	}
	if (connections->listener != NULL && !is_over(connections))
		evconnlistener_enable(connections->listener);
	event_timer_set(connections->check_timer, CHECK_MS);
}

struct http_connections *
http_connections_new(struct events *events, struct evhttp *http,
		     const struct http_connections_limits *limits)
{
	struct http_connections *connections = MEM_NEW(struct http_connections);

	connections->limits = *limits;
	connections->events = events;
	connections->check_timer = event_timer_new(events, check, connections);
	event_timer_set(connections->check_timer, CHECK_MS);
	evhttp_set_bevcb(http, opened, connections);
	return connections;
}

void
http_connections_free(struct http_connections *connections)
{
	if (connections == NULL)
		return;
	drop_closed(connections);
	event_timer_free(connections->check_timer);
	free(connections);
}

void
http_connections_set_listener(struct http_connections *connections, struct evconnlistener *listener)
{
	connections->listener = listener;
}

static void
enter(struct http_connections *connections, const struct bufferevent *bev,
      enum connection_state state)
{
	struct connection *at = connections->first;

	while (at != NULL && at->bev != bev)
		at = at->next;
	if (at == NULL || at->state == STATE_ENDING)
		return;
	at->state = state;
	at->since_ms = clock_now_ms();
	set_received(at, 0);
}

void
http_connections_asked(struct http_connections *connections, const struct bufferevent *bev)
{
	enter(connections, bev, STATE_BUSY);
}

void
http_connections_answered(struct http_connections *connections, const struct bufferevent *bev)
{
	enter(connections, bev, STATE_SENDING);
}

void
http_connections_sent(struct http_connections *connections, const struct bufferevent *bev)
{
	enter(connections, bev, STATE_WAITING);
}

size_t
http_connections_count(const struct http_connections *connections)
{
	return connections->count;
}

bool
http_connections_are_busy(const struct http_connections *connections)
{
	return count_in_state(connections, STATE_BUSY) > connections->limits.count_max;
}
