/* A WASM agent; see agent.h. */
#include "wasm/agent.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/code.h"
#include "wasm/guest_files.h"
#include "wasm/host_calls.h"
#include "wasm/host_exec.h"
#include "wasm/host_http.h"
#include "wasm/worker.h"

#define PAGE_BYTES 65536ULL
#define TABLE_ELEMENTS_MAX 1000000
#define RESULT_BYTES_MAX (HOST_CALL_REQUEST_MAX_BYTES + 1024)
#define SENTENCE_BYTES_MAX ((size_t)16 * 1024)

/* Signals that end a run. */
static const int ending_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

void
agent_init(struct agent *agent, const char *path, const struct policy *policy)
{
	*agent = (struct agent){ .path = path,
				 .policy = policy,
				 .module = MODULE_INIT,
				 .facts = FACTS_INIT,
				 .cache = CACHE_INIT,
				 .code = CACHE_ENTRY_INIT,
				 .notes = STRV_INIT };
	manifest_init(&agent->manifest);
}

void
agent_done(struct agent *agent)
{
	strv_done(&agent->notes);
	cache_entry_done(&agent->code);
	cache_done(&agent->cache);
	manifest_done(&agent->manifest);
	facts_done(&agent->facts);
	module_done(&agent->module);
}

static void
note_warnings(struct agent *agent, const char *where)
{
	for (size_t i = 0; i < agent->manifest.warnings.count; i++)
		strv_take(&agent->notes,
			  mem_printf("%s: %s", where, agent->manifest.warnings.items[i]));
}

int
agent_open(struct agent *agent, struct error *err)
{
	_cleanup_free_ char *path = manifest_path_of(agent->path);
	int r = module_open(agent->path, &agent->module, err);

	if (r < 0)
		return r;
	r = manifest_load(&agent->manifest, path, err);
	if (r < 0 && r != -ENOENT)
		return -EXIT_CODE_FAILED;
	agent->has_manifest = r == 0;
	if (agent->has_manifest)
		note_warnings(agent, path);
	return 0;
}

/* The manifest that the module carries, where none lies beside it. */
static int
read_section(struct agent *agent, struct error *err)
{
	if (agent->has_manifest || agent->facts.manifest == NULL)
		return 0;
	if (manifest_parse(&agent->manifest, agent->facts.manifest, strlen(agent->facts.manifest),
			   err) < 0) {
		error_wrap(err, -EINVAL, "the module's section porta.manifest");
		return -EXIT_CODE_BAD_MODULE;
	}
	agent->has_manifest = true;
	note_warnings(agent, "the section porta.manifest");
	return 0;
}

capability_set
agent_granted(const struct agent *agent, capability_set otherwise)
{
	if (agent->policy != NULL && agent->policy->capabilities_flag != NULL)
		return agent->policy->capabilities;
	if (agent->has_manifest && agent->manifest.has_capabilities)
		return agent->manifest.capabilities;
	return otherwise;
}

bool
agent_reaches_files(const struct agent *agent)
{
	return facts_reaches_files(&agent->facts) && (agent->granted & (1U << CAPABILITY_FS)) != 0;
}

int
agent_check_facts(const struct agent *agent, struct error *err)
{
	const char *entry = agent->manifest.entry;

	if (agent->facts.is_component) {
		error_set(err, -EINVAL,
			  "the module is a component (WASI 0.2 and later), which porta does not run "
			  "yet: build the agent for WASI preview 1 (wasm32-wasip1)");
		return -EXIT_CODE_BAD_MODULE;
	}
	if (!facts_exports_function(&agent->facts, entry)) {
		if (str_equal(entry, "_start"))
			error_set(err, -EINVAL,
				  "the module has no _start: it is a library, not a command");
		else
			error_set(err, -EINVAL, "the module exports no function '%s', the manifest's entry",
				  entry);
		return -EXIT_CODE_BAD_MODULE;
	}
	return 0;
}

/* One sentence for all that is refused. */
static int
check_grants(const struct agent *agent, capability_set granted, struct error *err)
{
	struct strv refusals = STRV_INIT;
	struct strbuf sentence = STRBUF_INIT;
	size_t count;

	facts_put_refusals(&agent->facts, granted, &refusals);
	count = refusals.count;
	if (count > 0) {
		strbuf_puts(&sentence, refusals.items[0]);
		if (count > 1)
			strbuf_printf(&sentence, "; and %zu more (porta validate shows all)", count - 1);
		error_set(err, -EACCES, "the module is refused: %s", sentence.text);
	}
	strbuf_done(&sentence);
	strv_done(&refusals);
	return count > 0 ? -EXIT_CODE_REFUSED : 0;
}

/* code_judge: before anything is compiled or run. */
static int
judge(void *data, const struct facts *facts, struct error *err)
{
	struct agent *agent = data;
	capability_set all;
	int r;

	if (facts != &agent->facts)
		return -EXIT_CODE_FAILED;
	r = read_section(agent, err);
	if (r == 0)
		r = agent_check_facts(agent, err);
	if (r < 0)
		return r;
	if (capability_profile("full", &all, err) < 0)
		return -EXIT_CODE_FAILED;
	agent->granted = agent_granted(agent, all);
	return check_grants(agent, agent->granted, err);
}

/* What one run holds beside the agent. */
struct running {
	struct agent *agent;
	const struct agent_run *run;
	sigset_t signal_mask; /* what porta was started with */
	struct code_watch watch;
	struct worker worker;
	struct protocol_config config;
	struct policy sandbox;
	bool has_sandbox;
	struct output_cap output; /* with --max-output */
	bool has_output;
	struct strv exec_paths;
	struct host_http http;
};

static int
watch_signals(struct running *running, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		struct sigaction action;

		/* One that nohup ignores stays ignored. */
		if (sigaction(ending_signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&set, ending_signals[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, &running->signal_mask) < 0)
		return error_set_errno(err, -errno, "cannot block signals");
	running->watch.signal_mask = &running->signal_mask;
	running->watch.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (running->watch.signal_fd < 0)
		return error_set_errno(err, -errno, "cannot read signals");
	return 0;
}

static int
make_config(struct running *running, struct error *err)
{
	const struct agent *agent = running->agent;
	const struct policy_limits *limits = &agent->policy->limits;
	struct protocol_config *config = &running->config;
	uint64_t pages = limits->max_memory_pages > 0 ? limits->max_memory_pages : POLICY_PAGES_MAX;

	config->role = WORKER_RUN;
	config->has_fuel = limits->step_limit > 0;
	config->step_limit = limits->step_limit;
	config->memory_bytes_max = pages * PAGE_BYTES;
	config->table_elements_max = TABLE_ELEMENTS_MAX;
	config->granted = agent->granted;
	config->entry = mem_strdup(agent->manifest.entry);
	strv_add(&config->arguments, agent->path);
	for (size_t i = 0; i < running->run->arguments_count; i++)
		strv_add(&config->arguments, running->run->arguments[i]);
	env_build_guest(&agent->policy->env, environ, &config->environment);
	/* A guest that cannot ask for a file needs no sandbox that says which. */
	if (!agent_reaches_files(agent))
		return 0;
	guest_files_sandbox(agent->policy, agent->granted, &running->sandbox);
	running->has_sandbox = true;
	return guest_files_add(agent->policy, agent->granted, config, err);
}

static int
start_worker(struct running *running, struct error *err)
{
	uint64_t limit = running->agent->policy->limits.max_output_bytes;
	struct worker_start start = {
		.code_fd = running->agent->code.fd,
		.output_fd = -1,
		.streams = true,
		.signal_mask = &running->signal_mask,
		.sandbox = running->has_sandbox ? &running->sandbox : NULL,
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
	    worker_configure(&running->worker, &running->config, err) < 0)
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
	uint32_t function;
	uint32_t status = 0;
	int r;

	if (message->length < sizeof(function))
		return -EPROTO;
	memcpy(&function, message->bytes, sizeof(function));
	if (function >= HOST_FUNCTION_COUNT)
		return -EPROTO;
	strbuf_add(&reply, (const char *)&status, sizeof(status));
	status = (uint32_t)host_calls_answer(&context, (enum host_function)function,
					     message->bytes + sizeof(function),
					     message->length - sizeof(function), &reply);
	memcpy(reply.text, &status, sizeof(status));
	r = worker_tell(&running->worker, MESSAGE_REPLY, &reply, &patience, &unused);
	strbuf_done(&reply);
	return r < 0 ? -EPROTO : 0;
}

/* "the agent was ended: ..." for each kind of end but a plain exit. */
static int
judge_result(const struct protocol_end *result, const char *sentence, struct error *err)
{
	static const struct {
		enum exit_code code;
		const char *text;
	} ends[] = {
		[RESULT_TRAP] = { EXIT_CODE_TRAP, "the agent trapped" },
		[RESULT_STEP_LIMIT] = { EXIT_CODE_STEP_LIMIT,
					"the agent used up its steps (--step-limit)" },
		[RESULT_MEMORY_LIMIT] = { EXIT_CODE_MEMORY_LIMIT,
					  "the agent needs more memory than it may have (--max-memory)" },
		[RESULT_TABLE_LIMIT] = { EXIT_CODE_TABLE_LIMIT,
					 "the agent needs a table of more than 1000000 elements, the most "
					 "that porta allows" },
		[RESULT_STACK_LIMIT] = { EXIT_CODE_STACK_LIMIT,
					 "the agent's stack is used up (endless recursion?)" },
		[RESULT_OUTPUT_LIMIT] = { EXIT_CODE_OUTPUT_LIMIT, "the agent writes more than it may" },
		[RESULT_NO_ENTRY] = { EXIT_CODE_BAD_MODULE,
				      "the module's entry takes or returns values: it is no command" },
		[RESULT_REFUSED] = { EXIT_CODE_REFUSED, "the module is refused" },
		[RESULT_NOT_LOADED] = { EXIT_CODE_FAILED, "the compiled code cannot be loaded" },
	};
	static_assert(ARRAY_SIZE(ends) <= RESULT_KIND_COUNT, "an end for each kind");

	if (result->kind == RESULT_EXIT)
		return (int)MIN(result->value, 255U);
	if (sentence[0] == '\0')
		error_set(err, -ECANCELED, "%s", ends[result->kind].text);
	else
		error_set(err, -ECANCELED, "%s: %s", ends[result->kind].text, sentence);
	return -(int)ends[result->kind].code;
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
		end = worker_wait(&running->worker, SENTENCE_BYTES_MAX, running->watch.deadline_ms,
				  running->watch.signal_fd, &message, &signal);
	} while (end == WORKER_MESSAGE);
	return end;
}

static int
take_result(struct running *running, const struct message *message, enum result_kind *ret_kind,
	    struct error *err)
{
	struct strbuf shown = STRBUF_INIT;
	_cleanup_free_ char *sentence = NULL;
	struct protocol_end end;
	int r = protocol_end_get(message->bytes, message->length, &end);

	if (r < 0)
		return -EPROTO;
	sentence = mem_strndup(end.sentence, MIN(end.sentence_length, SENTENCE_BYTES_MAX));
	strbuf_put_printable(&shown, sentence);
	*ret_kind = end.kind;
	r = judge_result(&end, shown.text == NULL ? "" : shown.text, err);
	strbuf_done(&shown);
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
	if (running->has_sandbox && WIFEXITED(status))
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
	_cleanup_free_ char *text = mem_strndup(message->bytes, MIN(message->length, SENTENCE_BYTES_MAX));

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

static int
get_code(struct running *running, struct error *err)
{
	struct agent *agent = running->agent;

	facts_done(&agent->facts);
	cache_entry_done(&agent->code);
	return code_get(&agent->module, &agent->cache, agent->policy->limits.step_limit > 0,
			&running->watch, judge, agent, &agent->code, &agent->facts, err);
}

/* Code that was compiled for another processor is compiled anew, once. */
static int
run_code(struct running *running, struct error *err)
{
	struct agent *agent = running->agent;
	struct cache_key key;
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
		key = cache_key_of(agent->module.hash, running->config.has_fuel);
		cache_remove(&agent->cache, &key);
		if (tries == 0 && get_code(running, err) < 0)
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
				   .config = PROTOCOL_CONFIG_INIT,
				   .exec_paths = STRV_INIT,
				   .http = HOST_HTTP_INIT };
	struct error unused = ERROR_INIT;
	int r = -EXIT_CODE_FAILED;

	if (agent->policy->limits.timeout_ms > 0)
		running.watch.deadline_ms = worker_now_ms() + agent->policy->limits.timeout_ms;
	if (cache_open(&agent->cache, true, &unused) < 0)
		strv_add(&agent->notes, unused.message);
	if (watch_signals(&running, err) == 0)
		r = get_code(&running, err);
	if (r == 0 && make_config(&running, err) < 0)
		r = -EXIT_CODE_FAILED;
	if (r == 0) {
		host_exec_find(agent->policy, &running.exec_paths);
		r = run_code(&running, err);
	}
	strv_done(&running.exec_paths);
	host_http_end(&running.http);
	guest_files_sandbox_done(&running.sandbox);
	protocol_config_done(&running.config);
	fd_close(running.watch.signal_fd);
	return r;
}

int
agent_inspect(struct agent *agent, struct error *err)
{
	struct running running = { .agent = agent, .watch = { .signal_fd = -1 } };
	int r = -EXIT_CODE_FAILED;

	if (watch_signals(&running, err) == 0)
		r = code_inspect(&agent->module, &running.watch, &agent->facts, err);
	if (r == 0)
		r = read_section(agent, err);
	fd_close(running.watch.signal_fd);
	return r;
}
