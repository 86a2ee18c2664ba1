/* The compiled code of a module; see code.h. */
#include "wasm/code.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>

#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/worker.h"

/* A sentence of a worker's: text that a module may have made. */
#define SENTENCE_BYTES_MAX ((size_t)64 * 1024)

int
code_watch_signals(struct code_watch *watch, sigset_t *ret_mask, struct error *err)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		struct sigaction action;

		/* One that nohup ignores stays ignored. */
		if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, ret_mask) < 0)
		return error_set_errno(err, -errno, "cannot block signals");
	watch->signal_mask = ret_mask;
	watch->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->signal_fd < 0)
		return error_set_errno(err, -errno, "cannot read signals");
	return 0;
}

static void
set_end(const struct worker *worker, struct error *err)
{
	struct strbuf end = STRBUF_INIT;

	worker_put_end(worker, &end);
	error_set(err, -ECHILD, "the worker that reads the module %s", end.text);
	strbuf_done(&end);
}

/* "the module SENTENCE", or what the worker could not do. */
static int
set_sentence(const struct message *message, struct error *err)
{
	struct strbuf sentence = STRBUF_INIT;
	int code = message->kind == MESSAGE_INVALID ? EXIT_CODE_BAD_MODULE : EXIT_CODE_FAILED;
	_cleanup_free_ char *text = mem_strndup(message->bytes, MIN(message->length, SENTENCE_BYTES_MAX));

	strbuf_put_printable(&sentence, text);
	if (message->kind == MESSAGE_INVALID)
		error_set(err, -EINVAL, "the module %s", sentence.text);
	else
		error_set(err, -ECHILD, "the worker that reads the module %s", sentence.text);
	strbuf_done(&sentence);
	return -code;
}

/* Waits for a message of `kind`; 0, or minus an exit code and a sentence. */
static int
expect(struct worker *worker, const struct code_watch *watch, enum message_kind kind,
       struct message *ret_message, struct error *err)
{
	int signal = 0;

	switch (worker_wait(worker, FACTS_BYTES_MAX, watch->deadline_ms, watch->signal_fd,
			    ret_message, &signal)) {
	case WORKER_MESSAGE:
		if (ret_message->kind == kind)
			return 0;
		if (ret_message->kind == MESSAGE_INVALID || ret_message->kind == MESSAGE_FAILED)
			return set_sentence(ret_message, err);
		break;
	case WORKER_ENDED:
		set_end(worker, err);
		return -EXIT_CODE_CRASHED;
	case WORKER_TIMEOUT:
		error_set(err, -ETIMEDOUT, "the time is over (--timeout), while the module was compiled");
		return -EXIT_CODE_TIMEOUT;
	case WORKER_SIGNAL:
		error_set(err, -EINTR, "ended by the signal %d (%s)", signal, strsignal(signal));
		return -(EXIT_CODE_SIGNAL_BASE + signal);
	case WORKER_OUTPUT:
	case WORKER_NONSENSE:
		break;
	}
	error_set(err, -EPROTO, "the worker that reads the module says nonsense");
	return -EXIT_CODE_CRASHED;
}

/* Starts a worker for the module's copy and gets its facts. */
static int
begin(struct worker *worker, const struct module *module, enum worker_role role, bool has_fuel,
      int output_fd, const struct code_watch *watch, struct message *ret_facts, struct error *err)
{
	const struct worker_start start = { .code_fd = module->copy_fd,
					    .output_fd = output_fd,
					    .signal_mask = watch->signal_mask };
	const struct protocol_config config = { .role = role, .has_fuel = has_fuel };

	if (worker_start(worker, &start, err) < 0 || worker_configure(worker, &config, err) < 0)
		return -EXIT_CODE_FAILED;
	return expect(worker, watch, MESSAGE_FACTS, ret_facts, err);
}

static int
read_facts(const char *text, size_t length, struct facts *ret_facts, struct error *err)
{
	if (facts_parse(text, length, ret_facts, err) == 0)
		return 0;
	error_wrap(err, -EPROTO, "the worker that reads the module says nonsense");
	return -EXIT_CODE_CRASHED;
}

/* With a worker under way that has given its facts, `text`. */
static int
finish(struct worker *worker, const struct cache *cache, const struct cache_key *key, int fd,
       const char *text, size_t length, const struct code_watch *watch,
       struct cache_entry *ret_entry, struct error *err)
{
	struct message done;
	int r = message_send(worker->control_fd, MESSAGE_GO, NULL, 0);

	if (r < 0 && r != -EPIPE) {
		error_set_errno(err, r, "cannot speak to the worker that compiles");
		return -EXIT_CODE_FAILED;
	}
	r = expect(worker, watch, MESSAGE_COMPILED, &done, err);
	/* Nobody writes to the file any more when it gets its end. */
	worker_end(worker);
	if (r < 0)
		return r;
	return cache_add(cache, key, fd, text, length, ret_entry, err) < 0 ? -EXIT_CODE_FAILED : 0;
}

static int
compile(struct module *module, const struct cache *cache, bool has_fuel,
	const struct code_watch *watch, code_judge *judge, void *data,
	struct cache_entry *ret_entry, struct facts *ret_facts, struct error *err)
{
	struct worker worker = WORKER_INIT;
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct message message;
	struct cache_key key;
	size_t length = 0;
	int r;

	if (module_copy(module, err) < 0)
		return -EXIT_CODE_FAILED;
	key = cache_key_of(module->hash, has_fuel);
	fd = cache_new_file(cache, err);
	if (fd < 0)
		return -EXIT_CODE_FAILED;
	r = begin(&worker, module, WORKER_COMPILE, has_fuel, fd, watch, &message, err);
	if (r == 0) {
		length = message.length;
		text = mem_strndup(message.bytes, length);
		r = read_facts(text, length, ret_facts, err);
	}
	if (r == 0)
		r = judge(data, ret_facts, err);
	if (r == 0)
		r = finish(&worker, cache, &key, fd, text, length, watch, ret_entry, err);
	worker_end(&worker);
	return r;
}

int
code_get(struct module *module, const struct cache *cache, bool has_fuel,
	 const struct code_watch *watch, code_judge *judge, void *data,
	 struct cache_entry *ret_entry, struct facts *ret_facts, struct error *err)
{
	struct cache_key key;
	int r;

	if (module_hash(module, err) < 0)
		return -EXIT_CODE_FAILED;
	key = cache_key_of(module->hash, has_fuel);
	if (cache_find(cache, &key, ret_entry) == 1) {
		r = read_facts(ret_entry->facts, ret_entry->facts_length, ret_facts, err);
		return r < 0 ? r : judge(data, ret_facts, err);
	}
	return compile(module, cache, has_fuel, watch, judge, data, ret_entry, ret_facts, err);
}

int
code_inspect(struct module *module, const struct code_watch *watch, struct facts *ret_facts,
	     struct error *err)
{
	struct worker worker = WORKER_INIT;
	struct message message;
	int r;

	if (module_copy(module, err) < 0)
		return -EXIT_CODE_FAILED;
	r = begin(&worker, module, WORKER_INSPECT, false, -1, watch, &message, err);
	if (r == 0)
		r = read_facts(message.bytes, message.length, ret_facts, err);
	worker_end(&worker);
	return r;
}
