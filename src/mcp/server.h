/*
 * The MCP server: what is heard from clients, in whatever version, becomes calls of the agent, and
 * their answers go back. It knows no transport: a message comes in with a stream for what belongs to it.
 */
#ifndef PORTA_MCP_SERVER_H
#define PORTA_MCP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/events.h"
#include "mcp/edition.h"
#include "mcp/rpc.h"
#include "mcp/state.h"
#include "mcp/version.h"
#include "util/json.h"

/* Requests under way at once, and bytes of them; a transport takes no more, or answers that it is busy. */
#define MCP_EXCHANGES_MAX 1024
#define MCP_EXCHANGES_BYTES_MAX ((size_t)256 * 1024 * 1024)
/* Of what is kept for a client beyond its request: what it can do, a URI that it subscribes to. */
#define MCP_CAPABILITIES_BYTES_MAX ((size_t)64 * 1024)
#define MCP_URI_BYTES_MAX	   ((size_t)8 * 1024)
/* Calls take this long where --timeout does not say. */
#define MCP_TIMEOUT_MS_DEFAULT 60000

struct mcp_server;
struct mcp_session;

/* HTTP's status for an answer; other transports have no use for it. */
enum mcp_status {
	MCP_OK = 200,
	MCP_ACCEPTED = 202, /* a notification or response was taken: there is no answer */
	MCP_BAD_REQUEST = 400,
	MCP_NOT_FOUND = 404,
	MCP_GONE = 0, /* cancelled: there is no answer, and nobody waits for one */
};

/* Where what belongs to one incoming message goes. The transport's; alive until `answer`. */
struct mcp_stream {
	const struct mcp_stream_ops *ops;
};

struct mcp_stream_ops {
	/* One message before the answer. */
	void (*send)(struct mcp_stream *stream, const struct strbuf *text);
	/* The last: `text` NULL where there is no answer. The stream is the transport's again. */
	void (*answer)(struct mcp_stream *stream, const struct strbuf *text, enum mcp_status status);
	/* The client does not read. mcp_server_drained says when it does again. */
	bool (*is_full)(struct mcp_stream *stream);
};

/* What HTTP says beside the body, to be compared with it. */
struct mcp_headers {
	const char *protocol_version; /* NULL: missing, as each of these */
	const char *method;
	const char *name;
	/* The value of any other header, NULL where it is missing. */
	const char *(*find)(const void *data, const char *name);
	const void *data;
};

struct mcp_settings {
	struct edition_settings edition;
	uint64_t timeout_ms;
	struct state_key state_key;
	bool is_private; /* answers are for who has the token */
	/* Said to a person: stderr. */
	void (*note)(const char *sentence);
};

/* Loads the agent. NULL and *ret_code, the exit code to end with, and a sentence. */
struct mcp_server *mcp_server_new(const struct mcp_settings *settings, int *ret_code,
				  struct error *err);
void mcp_server_free(struct mcp_server *server);
const struct edition *mcp_server_edition(const struct mcp_server *server);

/* --- what transports call */

/*
 * One client of the legacy era: a stdio process, or an HTTP session. `stream` is where messages go
 * that belong to no request (its `answer` is never called), NULL: nowhere.
 */
struct mcp_session *mcp_session_new(struct mcp_server *server, struct mcp_stream *stream);
void mcp_session_free(struct mcp_session *session);
void mcp_session_set_stream(struct mcp_session *session, struct mcp_stream *stream);
bool mcp_session_is_open(const struct mcp_session *session);
enum mcp_version mcp_session_version(const struct mcp_session *session);

/*
 * Takes one message or batch, already parsed, of `bytes`; `root` is taken over. `session` NULL: only the modern
 * era is spoken. `headers` NULL: the transport has none. The stream's `answer` is called, maybe before this
 * returns.
 */
void mcp_server_take(struct mcp_server *server, struct mcp_session *session, json_value *root,
		     size_t bytes, struct mcp_stream *stream, const struct mcp_headers *headers);
/* Answers what cannot be read. */
void mcp_server_refuse(struct mcp_session *session, const struct rpc_failure *failure,
		       struct mcp_stream *stream);
/* Whether a message opens the legacy era, or is of the modern one. */
bool mcp_is_initialize(const json_value *root);
bool mcp_is_modern_message(const json_value *root, const struct mcp_headers *headers);

/* The client has gone: what is under way for this stream ends; its `answer` comes before this returns. */
void mcp_server_hung_up(struct mcp_server *server, struct mcp_stream *stream);
/* The client reads again. */
void mcp_server_drained(struct mcp_server *server, struct mcp_stream *stream);
size_t mcp_server_exchanges(const struct mcp_server *server);
/* As much is under way as may be. */
bool mcp_server_is_full(const struct mcp_server *server);

/*
 * No client asks any more: streams of notifications end now, what waits for a client's answer fails.
 * `is_idle` is called when nothing is under way.
 */
void mcp_server_finish(struct mcp_server *server, void (*is_idle)(void *data), void *data);

/* Prometheus text (version 0.0.4 of the exposition format). */
void mcp_server_put_metrics(const struct mcp_server *server, struct strbuf *out);

#endif
