/* util/strings: growing text, quoting, and the numbers that a person writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/macros.h"
#include "util/mem.h"
#include "util/strings.h"

typedef void put_fn(struct strbuf *buf, const char *text);

struct text_case {
	const char *text;
	const char *result;
};

static void
check_texts(put_fn *put, const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct strbuf buf = STRBUF_INIT;

		_cleanup_free_ char *text = NULL;
		size_t length;

		put(&buf, cases[i].text);
		length = buf.length;
		text = strbuf_take(&buf);
		if (strcmp(text, cases[i].result) != 0)
			fail_msg("%s became %s", cases[i].text, text);
		assert_int_equal(length, strlen(text));
	}
}

static void
test_json_strings(void **state)
{
	static const struct text_case cases[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "a\nb\tc\r\x01\x1f\x7f", "\"a\\u000ab\\u0009c\\u000d\\u0001\\u001f\\u007f\"" },
		{ "b\xc3\xbc", "\"b\xc3\xbc\"" },
		{ "\xe2\x82\xac", "\"\xe2\x82\xac\"" },
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
		{ "\xff", "\"\\ufffd\"" },
		{ "\x80", "\"\\ufffd\"" },
		{ "\xc3", "\"\\ufffd\"" },
		{ "\xc3(", "\"\\ufffd(\"" },
		{ "\xc3\"", "\"\\ufffd\\\"\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
		{ "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf5\x80", "\"\\ufffd\\ufffd\"" },
		{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
		{ "\xee\x80\x80", "\"\xee\x80\x80\"" },
	};

	(void)state;
	check_texts(strbuf_put_json, cases, ARRAY_SIZE(cases));
}

static void
test_shell_words(void **state)
{
	static const struct text_case cases[] = {
		{ "", "''" },
		{ "plain", "plain" },
		{ "/a/b-c_d.e:f=g,h@i%j+k", "/a/b-c_d.e:f=g,h@i%j+k" },
		{ "a b", "'a b'" },
		{ "*:443", "'*:443'" },
		{ "~", "'~'" },
		{ "$HOME", "'$HOME'" },
		{ "it's", "'it'\\''s'" },
		{ "'", "''\\'''" },
		{ "a\nb", "'a\nb'" },
		{ "[::1]:80", "'[::1]:80'" },
		{ "b\xc3\xbc", "'b\xc3\xbc'" },
		{ "#", "'#'" },
		{ "!", "'!'" },
		{ "{a,b}", "'{a,b}'" },
	};

	(void)state;
	check_texts(strbuf_put_shell, cases, ARRAY_SIZE(cases));
}

/* The shell itself reads back what was quoted. */
static void
test_the_shell_reads_words_back(void **state)
{
	static const char *const texts[] = {
		"a b", "it's", "$(echo no) `echo no` \"x\" \\ ;&|<>*?", "-n", "\xff\xfe", "a\tb"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct strbuf command = STRBUF_INIT;
		char text[128] = "";
		FILE *pipe;

		strbuf_puts(&command, "printf %s ");
		strbuf_put_shell(&command, texts[i]);
		pipe = popen(command.text, "r");
		assert_non_null(pipe);
		text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
		assert_int_equal(pclose(pipe), 0);
		assert_string_equal(text, texts[i]);
		strbuf_done(&command);
	}
}

static void
test_printable_text(void **state)
{
	static const struct text_case cases[] = {
		{ "", "" },
		{ "plain b\xc3\xbc \xe2\x82\xac", "plain b\xc3\xbc \xe2\x82\xac" },
		{ "\x1b[31mred\a", "\\x1b[31mred\\x07" },
		{ "a\nb\r\t\x7f", "a\\x0ab\\x0d\\x09\\x7f" },
		{ "\x9b[31m", "\\x9b[31m" },
		{ "\xc2\x9b[31m", "\\x9b[31m" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xff\xc3", "\\xff\\xc3" },
		{ "\\x1b", "\\x1b" },
	};

	(void)state;
	check_texts(strbuf_put_printable, cases, ARRAY_SIZE(cases));
}

static void
test_growing_text(void **state)
{
	struct strbuf buf = STRBUF_INIT;
	_cleanup_free_ char *taken = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&buf, "%03d,", i);
	assert_int_equal(buf.length, 4000);
	assert_int_equal(strlen(buf.text), 4000);
	assert_true(str_ends_with(buf.text, "998,999,"));
	strbuf_add(&buf, "a\0b", 3);
	assert_int_equal(buf.length, 4003);
	strbuf_add(&buf, NULL, 0);
	strbuf_printf(&buf, "%s", "");
	assert_int_equal(buf.length, 4003);
	taken = strbuf_take(&buf);
	assert_null(buf.text);
	assert_int_equal(buf.length, 0);
	free(taken);
	taken = strbuf_take(&buf);
	assert_string_equal(taken, "");
	strbuf_done(&buf);
	strbuf_done(NULL);
}

static void
test_lists(void **state)
{
	struct strv list = STRV_INIT;

	(void)state;
	assert_false(strv_contains(&list, ""));
	for (int i = 0; i < 100; i++) {
		strv_take(&list, mem_printf("%d", i));
		assert_null(list.items[list.count]);
	}
	strv_add(&list, "");
	assert_int_equal(list.count, 101);
	assert_true(strv_contains(&list, "0"));
	assert_true(strv_contains(&list, "99"));
	assert_true(strv_contains(&list, ""));
	assert_false(strv_contains(&list, "100"));
	strv_done(&list);
	assert_int_equal(list.count, 0);
	strv_done(&list);
	strv_done(NULL);
}

static void
test_starts_and_ends(void **state)
{
	(void)state;
	assert_true(str_starts_with("abc", "ab"));
	assert_true(str_starts_with("abc", ""));
	assert_false(str_starts_with("ab", "abc"));
	assert_true(str_ends_with("abc", "bc"));
	assert_true(str_ends_with("abc", "abc"));
	assert_true(str_ends_with("abc", ""));
	assert_false(str_ends_with("bc", "abc"));
	assert_true(str_equal("", ""));
	assert_false(str_equal("a", "A"));
}

typedef int parse_fn(const char *text, uint64_t *ret_value);

struct number_case {
	const char *text;
	int result;
	uint64_t value;
};

static void
check_numbers(parse_fn *parse, const struct number_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 4242;
		int r = parse(cases[i].text, &value);

		if (r != cases[i].result || value != (r < 0 ? 4242 : cases[i].value))
			fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long)value);
	}
}

static int
parse_10_to_max(const char *text, uint64_t *ret_value)
{
	return str_parse_u64(text, 10, UINT64_MAX, ret_value);
}

static int
parse_0_to_99(const char *text, uint64_t *ret_value)
{
	return str_parse_u64(text, 0, 99, ret_value);
}

static void
test_numbers(void **state)
{
	static const struct number_case cases[] = {
		{ "10", 0, 10 },
		{ "010", 0, 10 },
		{ "9", -ERANGE, 0 },
		{ "0", -ERANGE, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-10", -EINVAL, 0 },
		{ "+10", -EINVAL, 0 },
		{ " 10", -EINVAL, 0 },
		{ "10 ", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "10.0", -EINVAL, 0 },
		{ "ten", -EINVAL, 0 },
	};
	static const struct number_case small[] = { { "0", 0, 0 },
						    { "99", 0, 99 },
						    { "100", -ERANGE, 0 } };

	(void)state;
	check_numbers(parse_10_to_max, cases, ARRAY_SIZE(cases));
	check_numbers(parse_0_to_99, small, ARRAY_SIZE(small));
}

static void
test_durations(void **state)
{
	static const struct number_case cases[] = {
		{ "5", 0, 5000 },
		{ "500ms", 0, 500 },
		{ "1ms", 0, 1 },
		{ "5s", 0, 5000 },
		{ "1.5s", 0, 1500 },
		{ "1.5", 0, 1500 },
		{ "0.001", 0, 1 },
		{ "0.25m", 0, 15000 },
		{ "1.9999ms", 0, 1 },
		{ "2m", 0, 120000 },
		{ "1h", 0, 3600000 },
		{ "1d", 0, 86400000 },
		{ "365d", 0, 31536000000 },
		{ "365.001d", -ERANGE, 0 },
		{ "366d", -ERANGE, 0 },
		{ "0", -ERANGE, 0 },
		{ "0s", -ERANGE, 0 },
		{ "0.0001s", -ERANGE, 0 },
		{ "18446744073709551615", -ERANGE, 0 },
		{ "18446744073709551616d", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "1844674407370954d", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ ".5s", -EINVAL, 0 },
		{ "5.s", -EINVAL, 0 },
		{ "1.2.3s", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "5sec", -EINVAL, 0 },
		{ "-5s", -EINVAL, 0 },
		{ "1h30m", -EINVAL, 0 },
		{ "1e3s", -EINVAL, 0 },
	};

	(void)state;
	check_numbers(str_parse_duration_ms, cases, ARRAY_SIZE(cases));
}

static void
test_sizes(void **state)
{
	static const struct number_case cases[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "512B", 0, 512 },
		{ "64k", 0, 65536 },
		{ "64K", 0, 65536 },
		{ "64KiB", 0, 65536 },
		{ "64kB", 0, 65536 },
		{ "10M", 0, 10485760 },
		{ "2G", 0, 2147483648 },
		{ "1T", 0, 1099511627776 },
		{ "1.5k", 0, 1536 },
		{ "0.5G", 0, 536870912 },
		{ "1.5", 0, 1 },
		{ "16000T", 0, 17592186044416000 },
		{ "20000T", -ERANGE, 0 },
		{ "18446744073709551615T", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ "10iB", -EINVAL, 0 },
		{ "10X", -EINVAL, 0 },
		{ "10 M", -EINVAL, 0 },
		{ "10MM", -EINVAL, 0 },
		{ "10Mi", -EINVAL, 0 },
		{ "10b", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	(void)state;
	check_numbers(str_parse_size, cases, ARRAY_SIZE(cases));
}

static void
test_nearest_words(void **state)
{
	static const char *const words[] = { "--allow-net", "--allow-exec", "--net",
					     "run",	    "explain",	    NULL };
	static const char *const none[] = { NULL };
	static const struct {
		const char *text;
		const char *nearest;
	} cases[] = {
		{ "--alow-net", "--allow-net" },
		{ "--allow-nte", "--allow-net" },
		{ "--allow-exe", "--allow-exec" },
		{ "--nett", "--net" },
		{ "rnu", "run" },
		{ "ru", "run" },
		{ "explian", "explain" },
		{ "run", "run" },
		{ "zzzzzz", NULL },
		{ "", NULL },
	};
	char huge[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *nearest = str_nearest(cases[i].text, words);

		if ((nearest == NULL) != (cases[i].nearest == NULL) ||
		    (nearest != NULL && strcmp(nearest, cases[i].nearest) != 0))
			fail_msg("%s: %s", cases[i].text, nearest ? nearest : "none");
	}
	assert_null(str_nearest("run", none));
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_null(str_nearest(huge, words));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_shell_words),
		cmocka_unit_test(test_the_shell_reads_words_back),
		cmocka_unit_test(test_printable_text),
		cmocka_unit_test(test_growing_text),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_starts_and_ends),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_nearest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
