/*
 * The connections of an HTTP server, as far as evhttp does not bound them: how many there are, how long each takes
 * for a request or an answer, and how many bytes of requests that are not whole are kept. Who is over one
 * of the bounds loses a connection that waits for its client, the oldest or the largest; one that the server works for
 * is never closed.
 */
#ifndef PORTA_HTTP_CONNECTIONS_H
#define PORTA_HTTP_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/events.h"

struct bufferevent;
struct evconnlistener;
struct evhttp;
struct http_connections;

struct http_connections_limits {
	size_t count_max;
	/* More, which are taken only to be told so (or asked whether the server lives). */
	size_t reserve;
	uint64_t transfer_ms;	   /* for a request to come in whole, for an answer to go out */
	size_t received_bytes_max; /* in all, of requests that are not whole */
};

/* All connections that `http` takes from now on; the listener is set later. Freed after `http`. */
struct http_connections *http_connections_new(struct events *events, struct evhttp *http,
					      const struct http_connections_limits *limits);
void http_connections_free(struct http_connections *connections);
/* Disabled where there are too many, and enabled again, whoever disabled it. NULL: there is none any more. */
void http_connections_set_listener(struct http_connections *connections,
				   struct evconnlistener *listener);

/* A connection's request is here whole; it is answered; the answer is out. */
void http_connections_asked(struct http_connections *connections, const struct bufferevent *bev);
void http_connections_answered(struct http_connections *connections, const struct bufferevent *bev);
void http_connections_sent(struct http_connections *connections, const struct bufferevent *bev);

/* So many are there, and as many as may be are worked for. */
size_t http_connections_count(const struct http_connections *connections);
bool http_connections_are_busy(const struct http_connections *connections);

#endif
