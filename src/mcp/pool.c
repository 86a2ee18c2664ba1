/* The WASM workers of an agent that is served; see pool.h. */
#include "mcp/pool.h"

#include <errno.h>

#include "mcp/outbox.h"
#include "mcp/processor.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/host_calls.h"

/* A worker that nobody wanted for so long is ended, but for SPARE_WORKERS. */
#define IDLE_MS_MAX   30000
#define CHECK_IDLE_MS 5000
#define SPARE_WORKERS 1
/* What a worker may say: a call of the guest's to the host, or a result. */
#define MESSAGE_MAX (HOST_CALL_REQUEST_MAX_BYTES + 64 * 1024)

enum worker_state {
	STATE_STARTING,
	STATE_IDLE,
	STATE_BUSY,
};

struct pool_worker {
	struct pool *pool;
	struct worker worker;
	enum worker_state state;
	struct event_watch *watch;
	struct pool_user *user;
	uint64_t idle_since_ms;
	struct outbox outbox;
	int processor; /* that it is bound to, -1: none */
	struct pool_worker *next;
};

struct pool {
	struct pool_settings settings;
	struct pool_worker *workers; /* the one used last first, its memory is warm */
	size_t count;
	struct pool_user *waiting; /* in their order */
	struct event_timer *spare_timer;
	struct event_timer *idle_timer;
	size_t held;
	bool is_over; /* to be freed when it is let go */
};

static void watched(void *data, unsigned int what);

static void
unlink_worker(struct pool_worker *worker)
{
	struct pool_worker **at = &worker->pool->workers;

	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
	worker->pool->count--;
}

static void
link_worker(struct pool_worker *worker)
{
	worker->next = worker->pool->workers;
	worker->pool->workers = worker;
	worker->pool->count++;
}

static void
free_worker(struct pool_worker *worker)
{
	event_watch_free(worker->watch);
	worker_end(&worker->worker);
	outbox_done(&worker->outbox);
	free(worker);
}

int
pool_start_worker(const struct pool_settings *settings, struct worker *worker, struct error *err)
{
	const struct worker_start start = {
		.code_fd = settings->code_fd,
		.output_fd = -1,
		.signal_mask = settings->signal_mask,
		.own_group = true,
		.sandbox = settings->config->has_sandbox ? &settings->config->sandbox : NULL,
		.broker = settings->broker,
	};
	int r;

	*worker = (struct worker)WORKER_INIT;
	processor_let_go();
	r = worker_start(worker, &start, err);
	if (r == 0)
		r = worker_configure(worker, &settings->config->config, err);
	if (r < 0)
		worker_end(worker);
	return r;
}

static struct pool_worker *
adopt(struct pool *pool, const struct worker *worker, enum worker_state state)
{
	struct pool_worker *adopted = MEM_NEW(struct pool_worker);

	adopted->pool = pool;
	adopted->worker = *worker;
	adopted->state = state;
	adopted->processor = -1;
	adopted->idle_since_ms = worker_now_ms();
	(void)fd_set_nonblocking(worker->control_fd, true);
	adopted->watch =
	    event_watch_new(pool->settings.events, worker->control_fd, watched, adopted);
	event_watch_set(adopted->watch, EVENTS_READ);
	link_worker(adopted);
	return adopted;
}

static size_t
count_in_state(const struct pool *pool, enum worker_state state)
{
	size_t count = 0;

	for (const struct pool_worker *worker = pool->workers; worker != NULL; worker = worker->next)
		count += worker->state == state ? 1 : 0;
	return count;
}

static struct pool_user *
first_waiting(struct pool *pool)
{
	struct pool_user *user = pool->waiting;

	if (user != NULL) {
		pool->waiting = user->next;
		user->is_waiting = false;
	}
	return user;
}

/* For one user that waits, or as a spare. */
static void
start_one(struct pool *pool)
{
	struct worker worker;
	struct error err = ERROR_INIT;
	struct pool_user *user;

	if (pool_start_worker(&pool->settings, &worker, &err) == 0) {
		adopt(pool, &worker, STATE_STARTING);
		return;
	}
	/* It would fail for the next one as well: each hears it when its turn comes. */
	user = first_waiting(pool);
	if (user != NULL)
		user->lost(user->data, err.message);
}

/* Enough for those who wait, and a spare one where some are busy. */
static void
top_up(void *data)
{
	struct pool *pool = data;

	pool_hold(pool);
	while (!pool->is_over) {
		size_t waiting = pool_count(pool).waiting;
		size_t starting = count_in_state(pool, STATE_STARTING);
		size_t ready = starting + count_in_state(pool, STATE_IDLE);

		if (pool->count >= pool->settings.workers_max ||
		    ready >= waiting + (waiting > 0 || count_in_state(pool, STATE_BUSY) > 0
					    ? (size_t)SPARE_WORKERS
					    : 0))
			break;
		start_one(pool);
		if (count_in_state(pool, STATE_STARTING) == starting)
			break;
	}
	pool_let_go(pool);
}

static void
give(struct pool_worker *worker, struct pool_user *user)
{
	/* To the front. */
	unlink_worker(worker);
	link_worker(worker);
	worker->state = STATE_BUSY;
	worker->user = user;
	user->worker = worker;
	user->given(user->data, worker);
}

static void
become_idle(struct pool_worker *worker)
{
	struct pool_user *user = first_waiting(worker->pool);

	worker->state = STATE_IDLE;
	worker->user = NULL;
	worker->idle_since_ms = worker_now_ms();
	if (user != NULL)
		give(worker, user);
}

/* It has ended, or is of no use: whoever has it, or waits for it, hears why. */
static void
lose(struct pool_worker *worker, const char *sentence)
{
	struct pool *pool = worker->pool;
	struct pool_user *user = worker->user;

	/* One that never was ready would be followed by others like it. */
	if (user == NULL && worker->state == STATE_STARTING)
		user = first_waiting(pool);
	unlink_worker(worker);
	free_worker(worker);
	event_timer_set(pool->spare_timer, 0);
	if (user != NULL) {
		user->worker = NULL;
		user->lost(user->data, sentence);
	}
}

static void
lose_ended(struct pool_worker *worker)
{
	struct strbuf sentence = STRBUF_INIT;

	worker_finish(&worker->worker);
	strbuf_puts(&sentence, "the worker that runs the agent ");
	worker_put_end(&worker->worker, &sentence);
	lose(worker, sentence.text);
	strbuf_done(&sentence);
}

static void
lose_failed(struct pool_worker *worker, const struct message *message)
{
	struct strbuf sentence = STRBUF_INIT;
	_cleanup_free_ char *text =
	    mem_strndup(message->bytes, MIN(message->length, AGENT_SENTENCE_BYTES_MAX));

	strbuf_puts(&sentence, "the worker that runs the agent: ");
	strbuf_put_printable(&sentence, text);
	lose(worker, sentence.text);
	strbuf_done(&sentence);
}

/* The worker may be gone, or another user's, behind it. */
static void
take(struct pool_worker *worker, const struct message *message)
{
	if (message->kind == MESSAGE_FAILED)
		lose_failed(worker, message);
	else if (worker->state == STATE_BUSY)
		worker->user->heard(worker->user->data, message);
	else if (worker->state == STATE_STARTING && message->kind == MESSAGE_READY)
		become_idle(worker);
	else
		lose(worker, "the worker that runs the agent says nonsense");
}

static void
watched(void *data, unsigned int what)
{
	struct pool_worker *worker = data;
	struct message message;
	int r;

	if ((what & EVENTS_WRITE) != 0)
		outbox_flush(&worker->outbox, worker->worker.control_fd, worker->watch);
	if ((what & EVENTS_READ) == 0)
		return;
	r = message_read(&worker->worker.reader, worker->worker.control_fd, MESSAGE_MAX, &message);
	if (r == 1)
		take(worker, &message);
	else if (r == -EPIPE || r == -ECONNRESET || r == -EBADMSG)
		lose_ended(worker);
	else if (r < 0)
		lose(worker, "the worker that runs the agent says nonsense");
}

static void
end_idle(void *data)
{
	struct pool *pool = data;
	size_t spare = count_in_state(pool, STATE_IDLE);
	uint64_t now_ms = worker_now_ms();
	struct pool_worker *next;

	for (struct pool_worker *worker = pool->workers; worker != NULL; worker = next) {
		next = worker->next;
		if (worker->state != STATE_IDLE || spare <= SPARE_WORKERS ||
		    now_ms - worker->idle_since_ms < IDLE_MS_MAX)
			continue;
		spare--;
		unlink_worker(worker);
		free_worker(worker);
	}
	event_timer_set(pool->idle_timer, CHECK_IDLE_MS);
}

struct pool *
pool_new(const struct pool_settings *settings)
{
	struct pool *pool = MEM_NEW(struct pool);

	pool->settings = *settings;
	pool->spare_timer = event_timer_new(settings->events, top_up, pool);
	pool->idle_timer = event_timer_new(settings->events, end_idle, pool);
	event_timer_set(pool->idle_timer, CHECK_IDLE_MS);
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	pool->is_over = true;
	if (pool->held > 0)
		return;
	/* All at once: waiting for the end of each takes as long as it takes to end. */
	for (const struct pool_worker *worker = pool->workers; worker != NULL; worker = worker->next)
		(void)kill(worker->worker.pid, SIGKILL);
	while (pool->workers != NULL) {
		struct pool_worker *worker = pool->workers;

		unlink_worker(worker);
		free_worker(worker);
	}
	event_timer_free(pool->spare_timer);
	event_timer_free(pool->idle_timer);
	free(pool);
}

void
pool_hold(struct pool *pool)
{
	pool->held++;
}

void
pool_let_go(struct pool *pool)
{
	if (--pool->held == 0 && pool->is_over)
		pool_free(pool);
}

void
pool_add(struct pool *pool, struct worker *worker)
{
	become_idle(adopt(pool, worker, STATE_IDLE));
	*worker = (struct worker)WORKER_INIT;
}

void
pool_want(struct pool *pool, struct pool_user *user)
{
	struct pool_user **at = &pool->waiting;

	user->worker = NULL;
	for (struct pool_worker *worker = pool->workers; worker != NULL && pool->waiting == NULL;
	     worker = worker->next) {
		if (worker->state != STATE_IDLE)
			continue;
		/* The spare one is started when this one has its work. */
		if (count_in_state(pool, STATE_IDLE) + count_in_state(pool, STATE_STARTING) <=
		    SPARE_WORKERS)
			event_timer_set(pool->spare_timer, 0);
		give(worker, user);
		return;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = user;
	user->next = NULL;
	user->is_waiting = true;
	event_timer_set(pool->spare_timer, 0);
}

bool
pool_is_ready(const struct pool *pool)
{
	return pool->waiting == NULL && count_in_state(pool, STATE_IDLE) > 0;
}

void
pool_leave(struct pool *pool, struct pool_user *user, bool is_broken)
{
	struct pool_worker *worker = user->worker;

	if (user->is_waiting) {
		struct pool_user **at = &pool->waiting;

		while (*at != user)
			at = &(*at)->next;
		*at = user->next;
		user->is_waiting = false;
	}
	if (worker == NULL)
		return;
	user->worker = NULL;
	/* What it said beside an answer would be taken for the next one. */
	if (is_broken || message_reader_has_more(&worker->worker.reader)) {
		unlink_worker(worker);
		free_worker(worker);
		event_timer_set(pool->spare_timer, 0);
		return;
	}
	become_idle(worker);
}

void
pool_send(struct pool_worker *worker, enum message_kind kind, const struct strbuf *bytes)
{
	outbox_send(&worker->outbox, worker->worker.control_fd, worker->watch, kind, bytes->text,
		    bytes->length, NULL, 0);
}

void
pool_let_run(struct pool_worker *worker)
{
	processor_let_go();
	if (worker->processor < 0)
		return;
	worker->processor = -1;
	(void)processor_bind_other(worker->worker.pid, -1);
}

void
pool_follow(struct pool_worker *worker)
{
	const struct pool *pool = worker->pool;
	int processor;

	/* With a sandbox around it, the process that is known is the sandbox's. */
	if (pool->settings.config->has_sandbox || count_in_state(pool, STATE_BUSY) > 1) {
		pool_let_run(worker);
		return;
	}
	processor = processor_bind();
	if (processor >= 0 && processor != worker->processor &&
	    processor_bind_other(worker->worker.pid, processor) == 0)
		worker->processor = processor;
}

struct pool_counts
pool_count(const struct pool *pool)
{
	struct pool_counts counts = { .workers = pool->count,
				      .busy = count_in_state(pool, STATE_BUSY) };

	for (const struct pool_user *user = pool->waiting; user != NULL; user = user->next)
		counts.waiting++;
	return counts;
}
