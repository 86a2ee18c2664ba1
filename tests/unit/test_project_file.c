/* config/project_file: what porta-toml answers becomes settings, whatever it answers. config/toml_text: what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/project_file.h"
#include "config/toml_text.h"
#include "util/mem.h"
#include "util/strings.h"

static int
take(const char *answer, struct project_file *file, struct error *err)
{
	*file = (struct project_file){ .path = mem_strdup("porta.toml") };
	return project_file_take_answer(answer, strlen(answer), file, err);
}

static void
test_settings_in_the_order_of_the_file(void **state)
{
	struct error err = ERROR_INIT;
	struct project_file file;

	(void)state;
	assert_int_equal(take("{\"nodes\":["
			      "{\"path\":[\"sandbox\"],\"kind\":\"table\",\"line\":4,\"column\":2},"
			      "{\"path\":[\"sandbox\",\"mounts\"],\"kind\":\"array\",\"line\":5,\"column\":1,\"items\":["
			      "{\"kind\":\"string\",\"line\":5,\"column\":11,\"value\":\".\"},"
			      "{\"kind\":\"other\",\"line\":5,\"column\":16}]},"
			      "{\"path\":[\"a\",\"b\",\"c\",\"d\"],\"kind\":\"integer\",\"line\":1,\"column\":7,\"value\":\"-5\"},"
			      "{\"path\":[\"q\"],\"kind\":\"boolean\",\"line\":1,\"column\":1,\"value\":true}]}",
			      &file, &err),
			 0);
	assert_int_equal(file.settings_count, 4);
	assert_string_equal(file.settings[0].section, "q");
	assert_null(file.settings[0].key);
	assert_int_equal(file.settings[0].values[0].kind, PROJECT_VALUE_BOOLEAN);
	assert_true(file.settings[0].values[0].boolean);
	assert_string_equal(file.settings[1].sub_key, "c");
	assert_true(file.settings[1].is_deeper);
	assert_string_equal(file.settings[1].values[0].text, "-5");
	assert_int_equal(file.settings[2].kind, PROJECT_SETTING_TABLE);
	assert_int_equal(file.settings[3].values_count, 2);
	assert_string_equal(file.settings[3].values[0].text, ".");
	assert_int_equal(file.settings[3].values[1].kind, PROJECT_VALUE_OTHER);
	assert_int_equal(file.settings[3].values[1].place.column, 16);
	project_file_done(&file);
}

static void
test_a_mistake_has_its_place(void **state)
{
	struct error err = ERROR_INIT;
	struct project_file file;

	(void)state;
	assert_int_equal(take("{\"error\":\"no TOML\",\"line\":3,\"column\":7}", &file, &err), -EINVAL);
	assert_string_equal(err.message, "porta.toml:3:7: no TOML");
	project_file_done(&file);
	assert_int_equal(take("{\"error\":\"no TOML\",\"line\":0,\"column\":0}", &file, &err), -EINVAL);
	assert_string_equal(err.message, "porta.toml: no TOML");
	project_file_done(&file);
}

/* A parser that a file has taken over says what it likes; none of it may be more than an error. */
static void
test_answers_that_porta_toml_never_gives(void **state)
{
	static const char *const answers[] = {
		"",
		"nothing",
		"[]",
		"5",
		"{}",
		"{\"nodes\":5}",
		"{\"nodes\":{\"a\":1}}",
		"{\"nodes\":[5]}",
		"{\"nodes\":[{}]}",
		"{\"nodes\":[{\"path\":[]}]}",
		"{\"nodes\":[{\"path\":{\"a\":1}}]}",
		"{\"nodes\":[{\"path\":[5]}]}",
		"{\"nodes\":[{\"path\":[\"a\"]}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":-1,\"column\":1,\"kind\":\"table\"}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":99999999999,\"column\":1,\"kind\":\"table\"}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":5}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"string\"}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"string\",\"value\":5}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"boolean\",\"value\":\"x\"}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"boolean\"}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"array\"}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"array\",\"items\":{\"a\":1}}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"array\",\"items\":[5]}]}",
		"{\"nodes\":[{\"path\":[\"a\"],\"line\":1,\"column\":1,\"kind\":\"array\",\"items\":[{\"kind\":\"string\"}]}]}",
		"{\"error\":5}",
		"{\"error\":\"x\"}",
		"{\"nodes\":[]} {}",
		"{\"nodes\":[[[[[[[[]]]]]]]]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct error err = ERROR_INIT;
		struct project_file file;

		if (take(answers[i], &file, &err) >= 0)
			fail_msg("taken: %s", answers[i]);
		assert_string_not_equal(err.message, "");
		project_file_done(&file);
	}
}

static void
assert_string_written(const char *text, const char *expected)
{
	struct strbuf out = STRBUF_INIT;

	toml_put_string(&out, text);
	assert_string_equal(out.text, expected);
	strbuf_done(&out);
}

static void
test_strings(void **state)
{
	(void)state;
	assert_string_written("", "\"\"");
	assert_string_written("plain/path", "\"plain/path\"");
	assert_string_written("a\"b\\c", "\"a\\\"b\\\\c\"");
	assert_string_written("\b\t\n\f\r", "\"\\u0008\\u0009\\u000a\\u000c\\u000d\"");
	/* TOML forbids these bare, DEL too. */
	assert_string_written("\x01\x1b\x1f\x7f", "\"\\u0001\\u001b\\u001f\\u007f\"");
	assert_string_written("\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"");
	assert_string_written("a\xff\xc3z", "\"a\\ufffd\\ufffdz\"");
}

static void
test_keys(void **state)
{
	static const struct {
		const char *key;
		const char *expected;
	} cases[] = {
		{ "API_KEY", "API_KEY" }, { "a-b_C9", "a-b_C9" }, { "", "\"\"" },      { "a.b", "\"a.b\"" },
		{ "a b", "\"a b\"" },	  { "1", "1" },		  { "\xc3\xa9", "\"\xc3\xa9\"" }, { "a\"", "\"a\\\"\"" },
		{ "a=", "\"a=\"" },	  { "#", "\"#\"" },	  { "a\n", "\"a\\u000a\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf out = STRBUF_INIT;

		toml_put_key(&out, cases[i].key);
		assert_string_equal(out.text, cases[i].expected);
		strbuf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_in_the_order_of_the_file),
		cmocka_unit_test(test_a_mistake_has_its_place),
		cmocka_unit_test(test_answers_that_porta_toml_never_gives),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
