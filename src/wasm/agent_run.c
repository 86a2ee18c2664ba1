/* A WASM agent's run; see agent.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/agent.h"
#include "wasm/host_calls.h"
#include "wasm/host_exec.h"
#include "wasm/host_http.h"
#include "wasm/worker.h"

#define RESULT_BYTES_MAX (HOST_CALL_REQUEST_MAX_BYTES + 1024)

/* What one run holds beside the agent. */
struct running {
	struct agent *agent;
	const struct agent_run *run;
	sigset_t signal_mask; /* what porta was started with */
	struct code_watch watch;
	struct worker worker;
	struct agent_config config;
	struct output_cap output; /* with --max-output */
	bool has_output;
	struct strv exec_paths;
	struct host_http http;
};

static int
start_worker(struct running *running, struct error *err)
{
	uint64_t limit = running->agent->policy->limits.max_output_bytes;
	struct worker_start start = {
		.code_fd = running->agent->code.fd,
		.output_fd = -1,
		.streams = true,
		.signal_mask = &running->signal_mask,
		.sandbox = running->config.has_sandbox ? &running->config.sandbox : NULL,
		.broker = running->run->broker,
	};

	running->worker = (struct worker)WORKER_INIT;
	if (limit > 0) {
		running->has_output = true;
		if (output_cap_init(&running->output, limit, err) < 0)
			return -EXIT_CODE_FAILED;
	}
	start.output = running->has_output ? &running->output : NULL;
	if (worker_start(&running->worker, &start, err) < 0 ||
	    worker_configure(&running->worker, &running->config.config, err) < 0)
		return -EXIT_CODE_FAILED;
	return 0;
}

/* As long as the run may last, also where nobody reads: who waits for the worker sees why it did not. */
static void
write_patiently(const struct running *running, const char *text, size_t length)
{
	const struct worker_patience patience = { .deadline_ms = running->watch.deadline_ms,
						  .signal_fd = running->watch.signal_fd };
	size_t done = 0;

	while (done < length && worker_wait_writable(&patience, STDERR_FILENO) == 0) {
		/* What a pipe that can be written takes without blocking. */
		ssize_t n = write(STDERR_FILENO, text + done, MIN(length - done, (size_t)PIPE_BUF));

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

/* What the guest emits goes to the person who runs it. */
static void
print_event(void *data, const json_value *event)
{
	struct running *running = data;
	struct strbuf line = STRBUF_INIT;
	struct strbuf shown = STRBUF_INIT;

	json_write(&line, event, JSON_STYLE_COMPACT);
	strbuf_put_printable(&shown, line.text);
	strbuf_putc(&shown, '\n');
	if (!running->has_output || output_cap_count(&running->output, shown.length))
		write_patiently(running, shown.text, shown.length);
	strbuf_done(&shown);
	strbuf_done(&line);
}

static int
answer_host_call(struct running *running, const struct message *message)
{
	const struct host_calls_context context = {
		.policy = running->agent->policy,
		.granted = running->agent->granted,
		.signal_mask = &running->signal_mask,
		.deadline_ms = running->watch.deadline_ms,
		.signal_fd = running->watch.signal_fd,
		.exec_paths = &running->exec_paths,
		.http = &running->http,
		.emit = print_event,
		.emit_data = running,
	};
	const struct worker_patience patience = { .deadline_ms = running->watch.deadline_ms,
						  .signal_fd = running->watch.signal_fd };
	struct error unused = ERROR_INIT;
	struct strbuf reply = STRBUF_INIT;
	int r;

	if (host_calls_answer_message(&context, message, &reply) < 0)
		return -EPROTO;
	r = worker_tell(&running->worker, MESSAGE_REPLY, &reply, &patience, &unused);
	strbuf_done(&reply);
	return r < 0 ? -EPROTO : 0;
}

static int
output_is_over(struct error *err)
{
	error_set(err, -EFBIG, "the agent writes more than it may (--max-output)");
	return -EXIT_CODE_OUTPUT_LIMIT;
}

/*
 * The sandbox around the worker ends by itself, and tells what it refused; what the agent wrote is
 * passed on. Returns why waiting ended.
 */
static enum worker_wait
wait_for_end(struct running *running)
{
	enum worker_wait end;
	struct message message;
	int signal;

	do {
		end = worker_wait(&running->worker, AGENT_SENTENCE_BYTES_MAX, running->watch.deadline_ms,
				  running->watch.signal_fd, &message, &signal);
	} while (end == WORKER_MESSAGE);
	return end;
}

static int
take_result(struct running *running, const struct message *message, enum result_kind *ret_kind,
	    struct error *err)
{
	struct protocol_end end;
	int r;

	if (protocol_end_get(message->bytes, message->length, &end) < 0)
		return -EPROTO;
	*ret_kind = end.kind;
	r = agent_judge_end(&end, err);
	/* Too much counts also when it is found after the agent's end. */
	return wait_for_end(running) == WORKER_OUTPUT ? output_is_over(err) : r;
}

/* A signal that means the worker as it would mean a command: from the terminal, or a closed pipe. */
static bool
is_ordinary(int signal)
{
	static const int ordinary[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ordinary); i++) {
		if (ordinary[i] == signal)
			return true;
	}
	return false;
}

/* It ended without a word. */
static int
judge_end(const struct running *running, struct error *err)
{
	int status = running->worker.wait_status;
	struct strbuf end = STRBUF_INIT;
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	/* Of the sandbox around it, which passes on how the worker ended. */
	if (running->config.has_sandbox && WIFEXITED(status))
		signal = WEXITSTATUS(status) - EXIT_CODE_SIGNAL_BASE;
	if (is_ordinary(signal)) {
		running->agent->ended_by = signal;
		return EXIT_CODE_SIGNAL_BASE + signal;
	}
	worker_put_end(&running->worker, &end);
	error_set(err, -ECHILD, "the worker that runs the agent %s", end.text);
	strbuf_done(&end);
	return -EXIT_CODE_CRASHED;
}

static int
failed(const struct message *message, struct error *err)
{
	struct strbuf shown = STRBUF_INIT;
	_cleanup_free_ char *text = mem_strndup(message->bytes, MIN(message->length, AGENT_SENTENCE_BYTES_MAX));

	strbuf_put_printable(&shown, text);
	error_set(err, -ECHILD, "the worker that runs the agent: %s", shown.text);
	strbuf_done(&shown);
	return -EXIT_CODE_FAILED;
}

/* Until the worker's last word; *ret_kind says what it was where it was one. */
static int
follow(struct running *running, enum result_kind *ret_kind, struct error *err)
{
	int r = 0;

	while (r == 0) {
		struct message message;
		int signal = 0;

		switch (worker_wait(&running->worker, RESULT_BYTES_MAX, running->watch.deadline_ms,
				    running->watch.signal_fd, &message, &signal)) {
		case WORKER_MESSAGE:
			if (message.kind == MESSAGE_RESULT) {
				r = take_result(running, &message, ret_kind, err);
				if (r != -EPROTO)
					return r;
			} else if (message.kind == MESSAGE_FAILED) {
				return failed(&message, err);
			} else {
				r = message.kind == MESSAGE_HOST_CALL
					? answer_host_call(running, &message)
					: -EPROTO;
			}
			break;
		case WORKER_ENDED:
			return judge_end(running, err);
		case WORKER_TIMEOUT:
			error_set(err, -ETIMEDOUT, "the agent timed out (--timeout)");
			return -EXIT_CODE_TIMEOUT;
		case WORKER_SIGNAL:
			running->agent->ended_by = signal;
			return EXIT_CODE_SIGNAL_BASE + signal;
		case WORKER_OUTPUT:
			return output_is_over(err);
		case WORKER_NONSENSE:
			r = -EPROTO;
			break;
		}
	}
	error_set(err, -EPROTO, "the worker that runs the agent says nonsense");
	return -EXIT_CODE_CRASHED;
}

/* Code that was compiled for another processor is compiled anew, once. */
static int
run_code(struct running *running, struct error *err)
{
	struct agent *agent = running->agent;
	int r = 0;

	for (int tries = 0; tries < 2; tries++) {
		enum result_kind kind = RESULT_EXIT;

		r = start_worker(running, err);
		if (r == 0)
			r = follow(running, &kind, err);
		worker_end(&running->worker);
		if (running->has_output)
			output_cap_done(&running->output);
		if (kind != RESULT_NOT_LOADED)
			return r;
		agent_forget_code(agent);
		if (tries == 0 && agent_load(agent, &running->watch, err) < 0)
			break;
	}
	return r;
}

int
agent_run(struct agent *agent, const struct agent_run *run, struct error *err)
{
	struct running running = { .agent = agent,
				   .run = run,
				   .watch = { .signal_fd = -1 },
				   .worker = WORKER_INIT,
				   .config = AGENT_CONFIG_INIT,
				   .exec_paths = STRV_INIT,
				   .http = HOST_HTTP_INIT };
	struct error unused = ERROR_INIT;
	int r = -EXIT_CODE_FAILED;

	if (agent->policy->limits.timeout_ms > 0)
		running.watch.deadline_ms = worker_now_ms() + agent->policy->limits.timeout_ms;
	if (cache_open(&agent->cache, true, &unused) < 0)
		strv_add(&agent->notes, unused.message);
	if (code_watch_signals(&running.watch, &running.signal_mask, err) == 0)
		r = agent_load(agent, &running.watch, err);
	if (r == 0 && agent_configure(agent, run->arguments, run->arguments_count, &running.config, err) < 0)
		r = -EXIT_CODE_FAILED;
	if (r == 0) {
		host_exec_find(agent->policy, &running.exec_paths);
		r = run_code(&running, err);
	}
	strv_done(&running.exec_paths);
	host_http_end(&running.http);
	agent_config_done(&running.config);
	fd_close(running.watch.signal_fd);
	return r;
}
