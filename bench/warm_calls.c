/*
 * Calls a WASM worker that serves, as its parent does: `warm_calls MODULE calls ENTRY...` makes one
 * call for each ENTRY ("" is _start), whose input is what standard input has, and prints how it
 * ended and what it wrote; `warm_calls MODULE script` makes one for each part of standard input
 * between NULs; `warm_calls MODULE time COUNT` measures COUNT calls with that input, and what an
 * idle worker holds in memory.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "times.h"

#include "policy/capability.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/code.h"
#include "wasm/worker.h"

#define WARM_UP_CALLS	 200
#define MEMORY_BYTES_MAX ((uint64_t)256 * 1024 * 1024)
#define OUTPUT_BYTES_MAX ((uint64_t)1024 * 1024)
#define TABLE_MAX	 1000000
#define STEP_LIMIT	 1000000000

static _noreturn_ void
die(const char *what)
{
	fprintf(stderr, "warm_calls: %s\n", what);
	exit(EXIT_FAILURE);
}

static int
judge_nothing(void *data, const struct facts *facts, struct error *err)
{
	(void)data;
	(void)facts;
	(void)err;
	return 0;
}

static void
get_code(const char *path, bool has_fuel, const sigset_t *mask, struct cache_entry *ret_code)
{
	struct module module = MODULE_INIT;
	struct cache cache = CACHE_INIT;
	struct facts facts = FACTS_INIT;
	struct error err = ERROR_INIT;
	const struct code_watch watch = { .signal_fd = -1, .signal_mask = mask };

	if (module_open(path, &module, &err) < 0 || cache_open(&cache, true, &err) < 0 ||
	    code_get(&module, &cache, has_fuel, &watch, judge_nothing, NULL, ret_code, &facts, &err) < 0)
		die(err.message);
	facts_done(&facts);
	cache_done(&cache);
	module_done(&module);
}

static void
start(struct worker *worker, const char *path, const sigset_t *mask, int code_fd, bool has_fuel)
{
	struct protocol_config config = {
		.role = WORKER_SERVE,
		.has_fuel = has_fuel,
		.step_limit = has_fuel ? STEP_LIMIT : 0,
		.memory_bytes_max = MEMORY_BYTES_MAX,
		.table_elements_max = TABLE_MAX,
		.output_bytes_max = OUTPUT_BYTES_MAX,
		.entry = mem_strdup("_start"),
	};
	const struct worker_start how = {
		.code_fd = code_fd, .output_fd = -1, .streams = true, .signal_mask = mask
	};
	struct error err = ERROR_INIT;
	struct message message;
	int signal;

	if (capability_profile("full", &config.granted, &err) < 0)
		die(err.message);
	strv_add(&config.arguments, path);
	if (worker_start(worker, &how, &err) < 0 || worker_configure(worker, &config, &err) < 0)
		die(err.message);
	if (worker_wait(worker, MESSAGE_BYTES_MAX, 0, -1, &message, &signal) != WORKER_MESSAGE)
		die("the worker ended at its start");
	if (message.kind != MESSAGE_READY)
		die("the worker is not ready");
	protocol_config_done(&config);
}

/* An answer to whatever the guest asks: what it asked. */
static void
answer(const struct worker *worker, const struct message *message)
{
	const uint32_t status = 0;

	if (message_send_parts(worker->control_fd, MESSAGE_REPLY, &status, sizeof(status),
			       message->bytes + sizeof(status),
			       message->length - sizeof(status)) < 0)
		die("cannot answer");
}

/* The end's texts are the worker's, up to the next call. */
static void
call(struct worker *worker, const char *entry, const char *input, size_t length,
     struct protocol_end *ret_end)
{
	struct message message;
	int signal;

	if (message_send_parts(worker->control_fd, MESSAGE_CALL, entry, strlen(entry) + 1, input,
			       length) < 0)
		die("cannot call");
	for (;;) {
		if (worker_wait(worker, MESSAGE_BYTES_MAX, 0, -1, &message, &signal) != WORKER_MESSAGE)
			die("the worker ended");
		if (message.kind != MESSAGE_HOST_CALL)
			break;
		answer(worker, &message);
	}
	if (message.kind != MESSAGE_RESULT ||
	    protocol_end_get(message.bytes, message.length, ret_end) < 0)
		die("no result");
}

static void
call_and_print(struct worker *worker, const char *entry, const char *input, size_t length)
{
	struct protocol_end end;

	call(worker, entry, input, length, &end);
	printf("%d %u %zu %zu\n", (int)end.kind, end.value, end.sentence_length, end.output_length);
	fwrite(end.sentence, 1, end.sentence_length, stdout);
	fwrite(end.output, 1, end.output_length, stdout);
	putchar('\n');
}

static void
call_script(struct worker *worker, const char *input, size_t length)
{
	for (size_t at = 0; at < length; at += strlen(input + at) + 1)
		call_and_print(worker, "", input + at, strlen(input + at));
}

static long
pss_kib(pid_t pid)
{
	_cleanup_free_ char *path = mem_printf("/proc/%d/smaps_rollup", (int)pid);
	FILE *file = fopen(path, "re");
	char line[256];
	long pss = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Pss: %ld", &pss) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	return pss;
}

/* Both on one processor: across two, waking the other is most of a call. */
static void
measure(struct worker *worker, size_t count, const char *input, size_t length)
{
	_cleanup_free_ double *times = mem_zalloc(count, sizeof(*times));
	struct protocol_end end;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0 ||
	    sched_setaffinity(worker->pid, sizeof(set), &set) < 0)
		die("cannot bind to a processor");
	printf("idle %ld KiB\n", pss_kib(worker->pid));
	for (size_t i = 0; i < WARM_UP_CALLS; i++)
		call(worker, "", input, length, &end);
	for (size_t i = 0; i < count; i++) {
		double begun = times_now_us();

		call(worker, "", input, length, &end);
		times[i] = times_now_us() - begun;
	}
	times_sort(times, count);
	printf("p50 %.1f us p99 %.1f us\n", times[count / 2], times[count * 99 / 100]);
	printf("after %ld KiB\n", pss_kib(worker->pid));
}

int
main(int argc, char **argv)
{
	bool has_fuel = getenv("STEPS") != NULL;
	struct cache_entry code = CACHE_ENTRY_INIT;
	struct worker worker = WORKER_INIT;
	_cleanup_free_ char *input = NULL;
	size_t length = 0;
	sigset_t mask;
	int r;

	if (argc < 3 || (str_equal(argv[2], "time") && argc < 4))
		die("usage: warm_calls MODULE calls ENTRY... | MODULE script | MODULE time COUNT");
	if (sigprocmask(SIG_SETMASK, NULL, &mask) < 0)
		die("sigprocmask");
	r = fd_read_whole(STDIN_FILENO, MESSAGE_BYTES_MAX, &input, &length);
	if (r < 0)
		die(strerror(-r));
	get_code(argv[1], has_fuel, &mask, &code);
	start(&worker, argv[1], &mask, code.fd, has_fuel);
	for (int i = 3; i < argc && str_equal(argv[2], "calls"); i++)
		call_and_print(&worker, argv[i], input, length);
	if (str_equal(argv[2], "script"))
		call_script(&worker, input, length);
	else if (str_equal(argv[2], "time"))
		measure(&worker, strtoul(argv[3], NULL, 10), input, length);
	worker_end(&worker);
	cache_entry_done(&code);
	return EXIT_SUCCESS;
}
