/* An agent as it was loaded; see edition.h. */
#include "mcp/edition.h"

#include <errno.h>
#include <string.h>

#include "mcp/edition_internal.h"
#include "mcp/guest_call.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/host_exec.h"
#include "wasm/worker.h"

#define DESCRIBE_TOOL	     "_describe"
#define DESCRIBE_MS	     10000
#define DESCRIPTION_MAX	     (MANIFEST_MAX_BYTES + 64 * 1024)
#define OUTPUT_BYTES_DEFAULT (16ULL * 1024 * 1024)
/* A message of a worker holds the output, and a sentence. */
#define OUTPUT_BYTES_MAX (HOST_CALL_REQUEST_MAX_BYTES)

static void
free_edition(struct edition *edition)
{
	pool_free(edition->pool);
	catalog_done(&edition->catalog);
	agent_config_done(&edition->config);
	strv_done(&edition->exec_paths);
	strv_done(&edition->notes);
	agent_done(&edition->agent);
	free(edition);
}

struct edition *
edition_use(struct edition *edition)
{
	edition->users++;
	return edition;
}

void
edition_leave(struct edition *edition)
{
	if (edition != NULL && --edition->users == 0)
		free_edition(edition);
}

static int
load_code(struct edition *edition, const struct code_watch *watch, struct error *err)
{
	struct error unused = ERROR_INIT;
	int r = agent_open(&edition->agent, err);

	if (r < 0)
		return r;
	if (cache_open(&edition->agent.cache, true, &unused) < 0)
		strv_add(&edition->notes, unused.message);
	return agent_load(&edition->agent, watch, err);
}

int
edition_configure(struct edition *edition, const struct edition_settings *settings, struct error *err)
{
	const uint64_t limit = settings->policy->limits.max_output_bytes;
	struct protocol_config *config = &edition->config.config;

	if (settings->granted_max != NULL)
		edition->agent.granted &= *settings->granted_max;
	if (agent_configure(&edition->agent, settings->arguments, settings->arguments_count,
			    &edition->config, err) < 0)
		return -EXIT_CODE_FAILED;
	config->output_bytes_max = MIN(limit > 0 ? limit : OUTPUT_BYTES_DEFAULT, (uint64_t)OUTPUT_BYTES_MAX);
	host_exec_find(settings->policy, &edition->exec_paths);
	edition->host = (struct host_calls_context){ .policy = settings->policy,
						     .granted = edition->agent.granted,
						     .signal_mask = &edition->signal_mask,
						     .signal_fd = -1,
						     .exec_paths = &edition->exec_paths };
	return 0;
}

/* What the worker says next, while nothing else is to be done; kinds of wait as of worker_wait. */
static int
hear(struct worker *worker, const struct code_watch *watch, uint64_t deadline_ms,
     struct message *ret_message, struct error *err)
{
	struct strbuf end = STRBUF_INIT;

	switch (worker_wait(worker, DESCRIPTION_MAX, deadline_ms, watch->signal_fd, ret_message, NULL)) {
	case WORKER_MESSAGE:
		if (ret_message->kind != MESSAGE_FAILED)
			return 0;
		error_set(err, -ECHILD, "the worker that runs the agent: %.*s",
			  (int)MIN(ret_message->length, (size_t)ERROR_MESSAGE_BYTES),
			  ret_message->bytes);
		return -EXIT_CODE_FAILED;
	case WORKER_SIGNAL:
		error_set(err, -EINTR, "ended by a signal");
		return -EXIT_CODE_FAILED;
	case WORKER_TIMEOUT:
		error_set(err, -ETIMEDOUT, "the agent timed out");
		return -EXIT_CODE_TIMEOUT;
	case WORKER_ENDED:
		worker_put_end(worker, &end);
		error_set(err, -ECHILD, "the worker that runs the agent %s", end.text);
		strbuf_done(&end);
		return -EXIT_CODE_CRASHED;
	case WORKER_OUTPUT:
	case WORKER_NONSENSE:
		break;
	}
	error_set(err, -EPROTO, "the worker that runs the agent says nonsense");
	return -EXIT_CODE_CRASHED;
}

/* 0: it is ready; 1: its code is for another processor; or minus an exit code. */
static int
wait_until_ready(struct worker *worker, const struct code_watch *watch, struct error *err)
{
	struct protocol_end end;
	struct message message;
	int r = hear(worker, watch, 0, &message, err);

	if (r < 0 || message.kind == MESSAGE_READY)
		return r;
	if (message.kind == MESSAGE_RESULT &&
	    protocol_end_get(message.bytes, message.length, &end) == 0) {
		if (end.kind == RESULT_NOT_LOADED)
			return 1;
		r = agent_judge_end(&end, err);
		if (r < 0)
			return r;
	}
	error_set(err, -EPROTO, "the worker that runs the agent says nonsense");
	return -EXIT_CODE_CRASHED;
}

static const char *
describing_entry(const struct edition *edition)
{
	if (facts_exports_function(&edition->agent.facts, DESCRIBE_TOOL))
		return DESCRIBE_TOOL;
	return facts_exports_function(&edition->agent.facts, edition->agent.manifest.entry) ? "" : NULL;
}

/*
 * Asks the guest what it offers; what it asks for meanwhile it does not get. Where it describes nothing, nothing is
 * added, and the worker may be of no use any more: then it is ended.
 */
static void
describe(const struct edition *edition, struct worker *worker, const struct code_watch *watch,
	 struct strbuf *description)
{
	const char *entry = describing_entry(edition);
	uint64_t deadline_ms = worker_now_ms() + DESCRIBE_MS;
	const struct worker_patience patience = { .deadline_ms = deadline_ms,
						  .signal_fd = watch->signal_fd };
	const uint32_t refused = 1;
	struct strbuf bytes = STRBUF_INIT;
	struct error unused = ERROR_INIT;
	struct protocol_end end;
	struct message message;
	int r;

	if (entry == NULL)
		return;
	strbuf_add(&bytes, entry, strlen(entry) + 1);
	guest_call_put_input(&bytes, DESCRIBE_TOOL, NULL, NULL, NULL);
	r = worker_tell(worker, MESSAGE_CALL, &bytes, &patience, &unused);
	while (r == 0) {
		r = hear(worker, watch, deadline_ms, &message, &unused);
		if (r < 0 || message.kind != MESSAGE_HOST_CALL)
			break;
		bytes.length = 0;
		strbuf_add(&bytes, (const char *)&refused, sizeof(refused));
		r = worker_tell(worker, MESSAGE_REPLY, &bytes, &patience, &unused);
	}
	strbuf_done(&bytes);
	if (r < 0 || message.kind != MESSAGE_RESULT ||
	    protocol_end_get(message.bytes, message.length, &end) < 0)
		worker_end(worker);
	else if (end.kind == RESULT_EXIT && end.value == 0)
		strbuf_add(description, end.output, end.output_length);
}

/* A worker that is ready; code that does not load is made anew, once. */
static int
start_first(struct edition *edition, const struct pool_settings *settings,
	    const struct code_watch *watch, struct worker *worker, struct error *err)
{
	int r = pool_start_worker(settings, worker, err);

	if (r < 0)
		return -EXIT_CODE_FAILED;
	r = wait_until_ready(worker, watch, err);
	if (r == 0)
		return 0;
	worker_end(worker);
	if (r == 1) {
		agent_forget_code(&edition->agent);
		error_set(err, -ENOEXEC, "the compiled code cannot be loaded");
	}
	return r;
}

static struct pool_settings
pool_settings_of(const struct edition *edition, const struct edition_settings *settings)
{
	return (struct pool_settings){ .events = settings->events,
				       .code_fd = edition->agent.code.fd,
				       .config = &edition->config,
				       .broker = settings->broker,
				       .signal_mask = &edition->signal_mask,
				       .workers_max = settings->workers_max };
}

static int
find(struct edition *edition, const struct edition_settings *settings,
     const struct code_watch *watch, struct worker *worker, struct strbuf *ret_description,
     struct error *err)
{
	struct pool_settings pool;
	int r = load_code(edition, watch, err);

	if (r == 0)
		r = edition_configure(edition, settings, err);
	if (r < 0)
		return r;
	pool = pool_settings_of(edition, settings);
	r = start_first(edition, &pool, watch, worker, err);
	if (r == 1) {
		r = agent_load(&edition->agent, watch, err);
		pool = pool_settings_of(edition, settings);
		if (r == 0)
			r = start_first(edition, &pool, watch, worker, err);
		r = r == 1 ? -EXIT_CODE_FAILED : r;
	}
	for (size_t i = 0; i < edition->agent.notes.count; i++)
		strv_add(&edition->notes, edition->agent.notes.items[i]);
	if (r == 0 && catalog_needs_description(&edition->agent.manifest))
		describe(edition, worker, watch, ret_description);
	return r;
}

int
edition_find(struct edition *edition, const struct edition_settings *settings,
	     struct worker *worker, struct strbuf *ret_description, struct error *err)
{
	struct code_watch watch = { .signal_fd = -1 };
	int r = -EXIT_CODE_FAILED;

	if (code_watch_signals(&watch, &edition->signal_mask, err) == 0)
		r = find(edition, settings, &watch, worker, ret_description, err);
	fd_close(watch.signal_fd);
	(void)sigprocmask(SIG_SETMASK, &edition->signal_mask, NULL);
	return r;
}

int
edition_complete(struct edition *edition, const struct edition_settings *settings,
		 const struct strbuf *description, struct error *err)
{
	const struct catalog_source source = {
		.path = edition->agent.path,
		.manifest = &edition->agent.manifest,
		.facts = &edition->agent.facts,
		.described = description->length > 0 ? description->text : NULL,
		.described_length = description->length,
		.policy = edition->host.policy,
		.granted = edition->agent.granted,
	};
	const struct pool_settings pool = pool_settings_of(edition, settings);

	if (catalog_make(&edition->catalog, &source, &edition->notes, err) < 0)
		return -EXIT_CODE_BAD_MODULE;
	edition->pool = pool_new(&pool);
	return 0;
}

struct edition *
edition_new(const struct edition_settings *settings)
{
	struct edition *edition = MEM_NEW(struct edition);

	edition->users = 1;
	edition->config = (struct agent_config)AGENT_CONFIG_INIT;
	manifest_init(&edition->catalog.described);
	agent_init(&edition->agent, settings->path, settings->policy);
	edition->agent.use = AGENT_SERVE;
	return edition;
}

struct edition *
edition_load(const struct edition_settings *settings, int *ret_code, struct error *err)
{
	struct edition *edition = edition_new(settings);
	struct worker worker = WORKER_INIT;
	struct strbuf description = STRBUF_INIT;
	int r = edition_find(edition, settings, &worker, &description, err);

	if (r == 0)
		r = edition_complete(edition, settings, &description, err);
	strbuf_done(&description);
	if (r == 0) {
		if (worker.pid > 0)
			pool_add(edition->pool, &worker);
		return edition;
	}
	worker_end(&worker);
	*ret_code = -r;
	edition_leave(edition);
	return NULL;
}
