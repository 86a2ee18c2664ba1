/* Messages between porta and its workers, and what they hold: whole, cut off, too long, and of a liar. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/fd.h"
#include "util/mem.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

struct line {
	int worker; /* where the worker writes */
	int porta;  /* where porta reads, without blocking */
	struct message_reader reader;
};

static int
open_line(void **state)
{
	static struct line line;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	line = (struct line){ .worker = pair[0], .porta = pair[1], .reader = MESSAGE_READER_INIT };
	assert_int_equal(fd_set_nonblocking(line.porta, true), 0);
	*state = &line;
	return 0;
}

static int
close_line(void **state)
{
	struct line *line = *state;

	fd_close(line->worker);
	fd_close(line->porta);
	message_reader_done(&line->reader);
	return 0;
}

static int
hear(struct line *line, struct message *ret_message)
{
	return message_read(&line->reader, line->porta, 1000, ret_message);
}

static void
put(struct line *line, const void *bytes, size_t length)
{
	assert_int_equal(send(line->worker, bytes, length, 0), (ssize_t)length);
}

static void
test_messages_come_as_they_were_sent(void **state)
{
	struct line *line = *state;
	struct message message;

	assert_int_equal(hear(line, &message), 0);
	assert_int_equal(message_send(line->worker, 7, "text", 4), 0);
	assert_int_equal(message_send(line->worker, 8, NULL, 0), 0);
	assert_int_equal(message_send_parts(line->worker, 9, "a\0b", 3, "cd", 2), 0);
	assert_int_equal(hear(line, &message), 1);
	assert_int_equal(message.kind, 7);
	assert_int_equal(message.length, 4);
	assert_memory_equal(message.bytes, "text", 4);
	assert_int_equal(hear(line, &message), 1);
	assert_int_equal(message.kind, 8);
	assert_int_equal(message.length, 0);
	assert_int_equal(hear(line, &message), 1);
	assert_int_equal(message.length, 5);
	assert_memory_equal(message.bytes, "a\0bcd", 5);
	assert_int_equal(hear(line, &message), 0);
}

/* Byte by byte: none is one until it is whole. */
static void
test_in_pieces(void **state)
{
	static const char bytes[] = "\5\0\0\0\3\0\0\0abc";
	struct line *line = *state;
	struct message message;

	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			assert_int_equal(hear(line, &message), 0);
			put(line, bytes + i, 1);
		}
		assert_int_equal(hear(line, &message), 1);
		assert_int_equal(message.kind, 5);
		assert_memory_equal(message.bytes, "abc", 3);
	}
}

static void
test_a_length_beyond_the_limit_is_refused_before_it_is_read(void **state)
{
	static const uint32_t lengths[] = { 1001, 0x7fffffff, 0x80000000, 0xffffffff };
	struct line *line = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const uint32_t header[] = { 1, lengths[i] };
		struct message_reader reader = MESSAGE_READER_INIT;
		struct message message;

		put(line, header, sizeof(header));
		assert_int_equal(message_read(&reader, line->porta, 1000, &message), -EMSGSIZE);
		assert_true(reader.buffer.capacity < 1024 * 1024);
		message_reader_done(&reader);
	}
}

static void
test_the_limit_itself_is_none(void **state)
{
	struct line *line = *state;
	struct message message;
	char bytes[1000];

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(message_send(line->worker, 1, bytes, sizeof(bytes)), 0);
	assert_int_equal(hear(line, &message), 1);
	assert_int_equal(message.length, sizeof(bytes));
	assert_int_equal(message_send(line->worker, 1, NULL, MESSAGE_BYTES_MAX + 1), -EMSGSIZE);
}

static void
test_ends(void **state)
{
	struct line *line = *state;
	struct message message;

	assert_int_equal(message_send(line->worker, 1, "last", 4), 0);
	fd_close(TAKE_FD(line->worker));
	assert_int_equal(hear(line, &message), 1);
	assert_int_equal(hear(line, &message), -EPIPE);
	assert_int_equal(hear(line, &message), -EPIPE);
	assert_int_equal(message_send(line->porta, 1, "to nobody", 9), -EPIPE);
}

static void
test_an_end_within_a_message(void **state)
{
	struct line *line = *state;
	struct message message;

	put(line, "\1\0\0\0\4\0\0\0abc", 11);
	fd_close(TAKE_FD(line->worker));
	assert_int_equal(hear(line, &message), -EBADMSG);
}

static int
give_up(void *data, int fd)
{
	int *waits = data;

	(void)fd;
	return ++*waits < 3 ? 0 : -ETIMEDOUT;
}

static void
test_one_that_never_reads(void **state)
{
	static char bytes[4 * 1024 * 1024];
	struct line *line = *state;
	int waits = 0;

	assert_int_equal(message_send_waiting(line->worker, 1, bytes, sizeof(bytes), give_up, &waits),
			 -ETIMEDOUT);
	assert_int_equal(waits, 3);
}

/* ---- what they hold ---- */

static void
make_config(struct protocol_config *config)
{
	*config = (struct protocol_config)PROTOCOL_CONFIG_INIT;
	config->role = WORKER_RUN;
	config->has_fuel = true;
	config->step_limit = UINT64_MAX;
	config->memory_bytes_max = 1;
	config->table_elements_max = 2;
	config->output_bytes_max = 3;
	config->granted = 0x1ff;
	strv_add(&config->arguments, "agent.wasm");
	strv_add(&config->arguments, "");
	strv_add(&config->environment, "A=b");
	config->entry = mem_strdup("_start");
	protocol_config_add_path(config, "/host", "/guest", ACCESS_WRITE, true);
	protocol_config_add_path(config, "/file", "", ACCESS_LIST, false);
}

static void
test_a_configuration_arrives_whole(void **state)
{
	struct protocol_config config;
	struct protocol_config heard = PROTOCOL_CONFIG_INIT;
	struct strbuf bytes = STRBUF_INIT;

	(void)state;
	make_config(&config);
	protocol_config_put(&bytes, &config);
	assert_int_equal(protocol_config_get(bytes.text, bytes.length, &heard), 0);
	assert_int_equal(heard.role, WORKER_RUN);
	assert_true(heard.has_fuel);
	assert_true(heard.step_limit == UINT64_MAX && heard.memory_bytes_max == 1 &&
		    heard.table_elements_max == 2 && heard.output_bytes_max == 3);
	assert_int_equal(heard.granted, 0x1ff);
	assert_int_equal(heard.arguments.count, 2);
	assert_string_equal(heard.arguments.items[1], "");
	assert_string_equal(heard.environment.items[0], "A=b");
	assert_string_equal(heard.entry, "_start");
	assert_int_equal(heard.paths_count, 2);
	assert_string_equal(heard.paths[0].guest_path, "/guest");
	assert_int_equal(heard.paths[0].access, ACCESS_WRITE);
	assert_true(heard.paths[0].is_mutable && !heard.paths[1].is_mutable);
	protocol_config_done(&heard);
	protocol_config_done(&config);
	strbuf_done(&bytes);
}

/* In memory of its exact size, so that a sanitizer sees each byte that is read behind it. */
static int
get_config(const char *bytes, size_t length)
{
	struct protocol_config heard = PROTOCOL_CONFIG_INIT;
	_cleanup_free_ char *copy = malloc(length > 0 ? length : 1);
	int r;

	memcpy(copy, bytes, length);
	r = protocol_config_get(copy, length, &heard);
	protocol_config_done(&heard);
	return r;
}

static void
test_a_damaged_configuration(void **state)
{
	struct protocol_config config;
	struct strbuf bytes = STRBUF_INIT;

	(void)state;
	make_config(&config);
	protocol_config_put(&bytes, &config);
	for (size_t length = 0; length < bytes.length; length++)
		assert_int_equal(get_config(bytes.text, length), -EBADMSG);
	strbuf_putc(&bytes, 'x');
	assert_int_equal(get_config(bytes.text, bytes.length), -EBADMSG);
	bytes.length--;
	for (size_t i = 0; i < bytes.length; i++) {
		char before = bytes.text[i];

		/* Whatever it is taken for, it is read within its bounds. */
		for (int bit = 0; bit < 8; bit++) {
			bytes.text[i] = (char)(before ^ (1 << bit));
			(void)get_config(bytes.text, bytes.length);
		}
		bytes.text[i] = (char)0xff;
		(void)get_config(bytes.text, bytes.length);
		bytes.text[i] = before;
	}
	protocol_config_done(&config);
	strbuf_done(&bytes);
}

static void
test_results(void **state)
{
	static const struct {
		uint32_t kind;
		uint32_t sentence_length;
		const char *rest;
		int r;
		const char *sentence;
		const char *output;
	} cases[] = {
		{ RESULT_EXIT, 0, "", 0, "", "" },
		{ RESULT_TRAP, 3, "why", 0, "why", "" },
		{ RESULT_EXIT, 3, "whyout", 0, "why", "out" },
		{ RESULT_REFUSED, 0, "out", 0, "", "out" },
		{ RESULT_KIND_COUNT, 0, "", -EBADMSG, NULL, NULL },
		{ 0xffffffff, 0, "", -EBADMSG, NULL, NULL },
		{ RESULT_TRAP, 4, "why", -EBADMSG, NULL, NULL },
		{ RESULT_TRAP, 0xffffffff, "why", -EBADMSG, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct protocol_result result = { cases[i].kind, 42, cases[i].sentence_length };
		struct strbuf bytes = STRBUF_INIT;
		struct protocol_end end;

		strbuf_add(&bytes, (const char *)&result, sizeof(result));
		strbuf_puts(&bytes, cases[i].rest);
		assert_int_equal(protocol_end_get(bytes.text, bytes.length, &end), cases[i].r);
		if (cases[i].r == 0) {
			assert_int_equal(end.kind, cases[i].kind);
			assert_int_equal(end.value, 42);
			assert_int_equal(end.sentence_length, strlen(cases[i].sentence));
			assert_memory_equal(end.sentence, cases[i].sentence, end.sentence_length);
			assert_int_equal(end.output_length, strlen(cases[i].output));
			assert_memory_equal(end.output, cases[i].output, end.output_length);
		}
		for (size_t length = 0; length < sizeof(result); length++)
			assert_int_equal(protocol_end_get(bytes.text, length, &end), -EBADMSG);
		strbuf_done(&bytes);
	}
}

#define ON_A_LINE(test) cmocka_unit_test_setup_teardown(test, open_line, close_line)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_LINE(test_messages_come_as_they_were_sent),
		ON_A_LINE(test_in_pieces),
		ON_A_LINE(test_a_length_beyond_the_limit_is_refused_before_it_is_read),
		ON_A_LINE(test_the_limit_itself_is_none),
		ON_A_LINE(test_ends),
		ON_A_LINE(test_an_end_within_a_message),
		ON_A_LINE(test_one_that_never_reads),
		cmocka_unit_test(test_a_configuration_arrives_whole),
		cmocka_unit_test(test_a_damaged_configuration),
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
