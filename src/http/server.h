/*
 * An HTTP/1.1 server over libevent's evhttp, as far as MCP needs one: a request arrives whole, its
 * answer goes out whole or as a stream of server-sent events.
 */
#ifndef PORTA_HTTP_SERVER_H
#define PORTA_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/events.h"
#include "util/error.h"
#include "util/strings.h"

#define HTTP_SERVER_HEADER_BYTES_MAX ((size_t)32 * 1024)
/* A connection that says nothing, between requests or within one. */
#define HTTP_SERVER_IDLE_SECONDS 60
/* A request that does not come in whole, an answer that is not taken whole; the time between two requests counts. */
#define HTTP_SERVER_TRANSFER_SECONDS 300
/* Fewer where the limit of descriptors is lower; so many of those are for all else. */
#define HTTP_SERVER_CONNECTIONS_MAX  1024
#define HTTP_SERVER_DESCRIPTORS_KEPT 256
/* Requests that are not whole, in all. */
#define HTTP_SERVER_RECEIVED_BYTES_MAX ((size_t)128 * 1024 * 1024)

struct http_server;
struct http_exchange;

struct http_server_settings {
	struct events *events;
	const char *host; /* an address, or localhost */
	uint16_t port;	  /* 0: one that is free */
	size_t body_bytes_max; /* more is answered with 413 */
	uint64_t transfer_ms;  /* 0: HTTP_SERVER_TRANSFER_SECONDS */
	/* The exchange is the callee's until it is answered, or `closed` is called for it. */
	void (*asked)(void *data, struct http_exchange *exchange);
	/* The client has hung up: the exchange is gone behind it. `user` of http_exchange_set_user. */
	void (*closed)(void *data, void *user);
	/* What a stream had to send is sent. */
	void (*drained)(void *data, void *user);
	void *data;
};

/* NULL and a sentence where it cannot listen. */
struct http_server *http_server_new(const struct http_server_settings *settings, struct error *err);
/* Closes all connections; `closed` is called for what is not answered. */
void http_server_free(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);
void http_server_stop_listening(struct http_server *server);
/* Exchanges whose answer is not yet sent whole. */
size_t http_server_busy(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* As many connections as may be are worked for: what is asked now is to be refused, and its connection closed. */
bool http_server_is_full(const struct http_server *server);

/* Texts are there until the answer. */
const char *http_exchange_method(const struct http_exchange *exchange);
const char *http_exchange_path(const struct http_exchange *exchange); /* without the query */
/* NULL: there is none. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);
const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_length);
void http_exchange_set_user(struct http_exchange *exchange, void *user);

/* Before the answer begins. */
void http_exchange_set_header(struct http_exchange *exchange, const char *name, const char *value);
/* The whole answer; `body` may be NULL. The exchange is gone. */
void http_exchange_answer(struct http_exchange *exchange, int status, const char *content_type,
			  const struct strbuf *body);
/* A stream of events (WHATWG HTML, server-sent events), each with one line of data; `id` NULL: without one. */
void http_exchange_begin_events(struct http_exchange *exchange);
void http_exchange_send_event(struct http_exchange *exchange, const char *id,
			      const struct strbuf *data);
/* An event without data: by its id the stream can be resumed, after so long. */
void http_exchange_send_priming(struct http_exchange *exchange, const char *id, unsigned int retry_ms);
/* A comment, so that nobody between takes the connection for dead. */
void http_exchange_send_comment(struct http_exchange *exchange);
/* The exchange is gone. */
void http_exchange_end_events(struct http_exchange *exchange);
/* Bytes that the client has not taken yet. */
size_t http_exchange_waiting(const struct http_exchange *exchange);

#endif
