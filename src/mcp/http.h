/*
 * MCP over HTTP, both eras: Streamable HTTP with sessions up to 2025-11-25, without from 2026-07-28 on.
 * The endpoint is /mcp; /healthz says that the server lives, /metrics what it did.
 */
#ifndef PORTA_MCP_HTTP_H
#define PORTA_MCP_HTTP_H

#include <stdint.h>

#include "mcp/server.h"

/* Sessions at once; the one that is longest unused makes room. */
#define MCP_HTTP_SESSIONS_MAX 1000
#define MCP_HTTP_SESSION_SECONDS_MAX 3600

struct mcp_http;

/* All of it stays the caller's. */
struct mcp_http_settings {
	struct events *events;
	struct mcp_server *server;
	const char *host;
	uint16_t port;
	bool is_loopback;
	const char *token; /* NULL: none is asked for */
	const struct strv *allow_origins;
	const struct strv *allow_hosts;
};

/* NULL and a sentence. It stops the loop when it is finished. */
struct mcp_http *mcp_http_new(const struct mcp_http_settings *settings, struct error *err);
void mcp_http_free(struct mcp_http *http);
uint16_t mcp_http_port(const struct mcp_http *http);
/* Takes no more; what is under way is answered. */
void mcp_http_finish(struct mcp_http *http);

#endif
