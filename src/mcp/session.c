/* The server as a whole, and sessions of the legacy era; see server.h. */
#include <errno.h>

#include "mcp/internal.h"
#include "util/exit_code.h"
#include "util/mem.h"
#include "wasm/worker.h"

struct mcp_server *
mcp_server_new(const struct mcp_settings *settings, int *ret_code, struct error *err)
{
	struct edition *edition = edition_load(&settings->edition, ret_code, err);
	struct mcp_server *server;

	if (edition == NULL)
		return NULL;
	for (size_t i = 0; i < edition->notes.count; i++)
		settings->note(edition->notes.items[i]);
	server = MEM_NEW(struct mcp_server);
	server->settings = settings;
	server->events = settings->edition.events;
	server->edition = edition;
	server->granted = edition->agent.granted;
	server->started_ms = worker_now_ms();
	server->watcher = watcher_new(server);
	return server;
}

void
mcp_server_free(struct mcp_server *server)
{
	if (server == NULL)
		return;
	server->is_idle = NULL;
	while (server->exchanges != NULL)
		exchange_drop(server->exchanges);
	while (server->sessions != NULL)
		mcp_session_free(server->sessions);
	watcher_free(server->watcher);
	edition_leave(server->edition);
	free(server);
}

const struct edition *
mcp_server_edition(const struct mcp_server *server)
{
	return server->edition;
}

size_t
mcp_server_exchanges(const struct mcp_server *server)
{
	return server->exchanges_count;
}

bool
mcp_server_is_full(const struct mcp_server *server)
{
	return server->exchanges_count >= MCP_EXCHANGES_MAX ||
	       server->exchanges_bytes >= MCP_EXCHANGES_BYTES_MAX;
}

void
mcp_server_finish(struct mcp_server *server, void (*is_idle)(void *data), void *data)
{
	struct mcp_exchange *next;

	server->is_finishing = true;
	for (struct mcp_exchange *at = server->exchanges; at != NULL; at = next) {
		next = at->next;
		if (at->listening.is_on)
			listen_end(at);
		else if (at->asked_count > 0)
			exchange_error(at, RPC_INTERNAL_ERROR, NULL, "the server is ending");
	}
	/* Set last, so that it comes once. */
	server->is_idle = is_idle;
	server->idle_data = data;
	if (server->exchanges_count == 0)
		is_idle(data);
}

struct mcp_session *
mcp_session_new(struct mcp_server *server, struct mcp_stream *stream)
{
	struct mcp_session *session = MEM_NEW(struct mcp_session);

	session->server = server;
	session->stream = stream;
	session->version = MCP_LEGACY_LATEST;
	session->log_level = LOG_LEVEL_INFO;
	session->subscriptions = (struct strv)STRV_INIT;
	session->next = server->sessions;
	server->sessions = session;
	return session;
}

void
mcp_session_free(struct mcp_session *session)
{
	struct mcp_session **at;
	struct mcp_exchange *next;

	if (session == NULL)
		return;
	at = &session->server->sessions;
	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	for (struct mcp_exchange *of = session->server->exchanges; of != NULL; of = next) {
		next = of->next;
		if (of->session == session)
			exchange_drop(of);
	}
	strv_done(&session->subscriptions);
	json_free(session->root);
	free(session);
}

void
mcp_session_set_stream(struct mcp_session *session, struct mcp_stream *stream)
{
	session->stream = stream;
}

bool
mcp_session_is_open(const struct mcp_session *session)
{
	return session->is_open;
}

enum mcp_version
mcp_session_version(const struct mcp_session *session)
{
	return session->version;
}
