/* What the server has done, for Prometheus; see server.h. */
#include <inttypes.h>

#include "mcp/internal.h"
#include "wasm/worker.h"

static void
put(struct strbuf *out, const char *name, const char *type, const char *help, double value)
{
	strbuf_printf(out, "# HELP porta_%s %s\n# TYPE porta_%s %s\nporta_%s %.17g\n", name, help, name,
		      type, name, value);
}

void
mcp_server_put_metrics(const struct mcp_server *server, struct strbuf *out)
{
	const struct mcp_metrics *metrics = &server->metrics;
	struct pool_counts pool = pool_count(server->edition->pool);
	size_t sessions = 0;

	for (const struct mcp_session *at = server->sessions; at != NULL; at = at->next)
		sessions += at->is_open ? 1 : 0;
	put(out, "uptime_seconds", "gauge", "Time since the start.",
	    (double)(worker_now_ms() - server->started_ms) / 1000);
	put(out, "requests_total", "counter", "Requests taken.", (double)metrics->requests);
	put(out, "errors_total", "counter", "Requests answered with an error.", (double)metrics->errors);
	put(out, "requests_in_flight", "gauge", "Requests under way.", (double)server->exchanges_count);
	put(out, "calls_total", "counter", "Calls of the agent that it answered.",
	    (double)metrics->calls[0]);
	put(out, "calls_failed_total", "counter", "Calls of the agent that it did not answer.",
	    (double)metrics->calls[1]);
	put(out, "call_seconds_total", "counter", "Time in calls of the agent.",
	    (double)metrics->call_us / 1e6);
	put(out, "workers", "gauge", "Processes that run the agent.", (double)pool.workers);
	put(out, "workers_busy", "gauge", "Of them, those with a call.", (double)pool.busy);
	put(out, "calls_waiting", "gauge", "Calls that wait for a worker.", (double)pool.waiting);
	put(out, "sessions", "gauge", "Open sessions.", (double)sessions);
	put(out, "reloads_total", "counter", "Times the agent was loaded anew.",
	    (double)metrics->reloads);
}
