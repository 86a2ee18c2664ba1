/* Messages out of a stream of bytes, by lines and by Content-Length, in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mcp/frames.h"
#include "mcp/rpc.h"
#include "util/mem.h"

/* What comes out of `text` when it comes in pieces: messages with "|" behind each; "!" too long, "#" broken. */
static char *
split(const char *text, size_t length, size_t piece)
{
	struct frames frames = FRAMES_INIT;
	struct strbuf out = STRBUF_INIT;

	for (size_t at = 0; at <= length; at += piece) {
		bool at_end = at + piece > length;
		enum frames_result result;
		const char *message;
		size_t n;

		frames_add(&frames, text + at, MIN(piece, length - at));
		while ((result = frames_next(&frames, at_end, &message, &n)) != FRAMES_MORE) {
			if (result == FRAMES_MESSAGE)
				strbuf_add(&out, message, n);
			strbuf_putc(&out, result == FRAMES_MESSAGE ? '|' : result == FRAMES_TOO_LONG ? '!' : '#');
			if (result == FRAMES_BROKEN)
				break;
		}
		if (result == FRAMES_BROKEN)
			break;
	}
	frames_done(&frames);
	return strbuf_take(&out);
}

static void
check(const char *text, const char *expected)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		_cleanup_free_ char *found = split(text, strlen(text), piece);

		assert_string_equal(found, expected);
	}
}

static void
test_lines(void **state)
{
	(void)state;
	check("", "");
	check("\n\r\n  \n", "");
	check("{}\n", "{}|");
	check("{}\r\n[1]\n", "{}\r|[1]|");
	check("{}\n\n\n{\"a\":1}", "{}|{\"a\":1}|");
	check("nonsense\n{}\n", "nonsense|{}|");
	check("Con\n{}\n", "Con|{}|");
}

static void
test_lengths(void **state)
{
	(void)state;
	check("Content-Length: 2\r\n\r\n{}", "{}|");
	check("content-length:2\n\n{}Content-Type: x\r\nContent-Length:  3 \r\n\r\n[1]", "{}|[1]|");
	check("Content-Length: 2\r\n\r\n{}\n{\"a\":1}\n", "{}|{\"a\":1}|");
	check("Content-Length: 0\r\n\r\n{}\n", "|{}|");
	check("Content-Length: x\r\n\r\n{}", "#");
	check("Content-Length: -1\r\n\r\n{}", "#");
	check("Content-Length: 99999999999999999999\r\n\r\n{}", "#");
	check("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "#");
	check("Content-Type: x\r\n\r\n{}", "#");
	/* Half of one. */
	check("Content-Length: 5\r\n\r\n{}", "");
	check("Content-Le", "");
}

static void
test_too_long(void **state)
{
	size_t length = RPC_MESSAGE_BYTES_MAX + 100;
	_cleanup_free_ char *text = mem_zalloc(length + 10, 1);
	_cleanup_free_ char *found = NULL;

	(void)state;
	memset(text, 'x', length);
	memcpy(text + length, "\n{}\n", 4);
	found = split(text, length + 4, 65536);
	assert_string_equal(found, "!{}|");
}

static void
test_in_kind(void **state)
{
	struct frames frames = FRAMES_INIT;
	struct strbuf text = STRBUF_INIT;
	struct strbuf out = STRBUF_INIT;
	const char *message;
	size_t n;

	(void)state;
	strbuf_puts(&text, "{}");
	frames_put(&frames, &text, &out);
	frames_add(&frames, "Content-Length: 1\r\n\r\n5", 22);
	assert_int_equal(frames_next(&frames, false, &message, &n), FRAMES_MESSAGE);
	frames_put(&frames, &text, &out);
	frames_add(&frames, "5\n", 2);
	assert_int_equal(frames_next(&frames, false, &message, &n), FRAMES_MESSAGE);
	frames_put(&frames, &text, &out);
	assert_string_equal(out.text, "{}\nContent-Length: 2\r\n\r\n{}{}\n");
	strbuf_done(&text);
	strbuf_done(&out);
	frames_done(&frames);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_in_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
