/* util/json: limits, places, and that what is written is what was read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/json.h"
#include "util/mem.h"

static const struct json_limits limits = { .bytes_max = 100000, .depth_max = 20 };

static json_value *
parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_value *value = NULL;

	if (json_parse(text, strlen(text), &limits, &value, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	return value;
}

static void
assert_written(const json_value *value, enum json_style style, const char *expected)
{
	struct strbuf out = STRBUF_INIT;

	json_write(&out, value, style);
	assert_string_equal(out.text, expected);
	strbuf_done(&out);
}

static void
test_what_is_written_is_what_was_read(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"0",
		"-5",
		"9223372036854775807",
		"-9223372036854775808",
		"0.1",
		"1.0",
		"-2.5",
		"1e+300",
		"0.30000000000000004",
		"1e-07",
		"\"\"",
		"\"a\\\"b\\\\c\"",
		"\"\\u0001\\u001f\\u007f\"",
		"\"\xc3\xa9 \xf0\x9f\x98\x80\"",
		"[]",
		"{}",
		"[1,[2,{}],\"x\"]",
		"{\"z\":1,\"a\":{\"c\":[],\"b\":null}}",
		"{\"\":\"\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_json_ json_value *value = parse(texts[i]);

		assert_written(value, JSON_STYLE_COMPACT, texts[i]);
	}
}

static void
test_indented(void **state)
{
	_cleanup_json_ json_value *value = parse("{\"b\":[1,{\"x\":[]}],\"a\":{}}");

	(void)state;
	assert_written(
	    value, JSON_STYLE_INDENTED,
	    "{\n  \"b\": [\n    1,\n    {\n      \"x\": []\n    }\n  ],\n  \"a\": {}\n}");
}

static void
test_invalid_texts(void **state)
{
	static const struct {
		const char *text;
		const char *sentence;
	} cases[] = {
		{ "", "line 1, column 0" },
		{ " ", "not JSON" },
		{ "{", "not JSON" },
		{ "[1,]", "line 1, column 4" },
		{ "{\"a\":1,}", "not JSON" },
		{ "{\n \"a\": 1,\n \"a\": 2}", "line 3, column 4: duplicate object key" },
		{ "{\"a\":{\"b\":1,\"b\":1}}", "duplicate" },
		{ "[1] 2", "not JSON" },
		{ "nul", "not JSON" },
		{ "NaN", "not JSON" },
		{ "Infinity", "not JSON" },
		{ "01", "not JSON" },
		{ "1.", "not JSON" },
		{ "'a'", "not JSON" },
		{ "\"a", "not JSON" },
		{ "\"\n\"", "not JSON" },
		{ "\"\\u0000\"", "not JSON" },
		{ "\"\\ud800\"", "not JSON" },
		{ "\"\xff\"", "not JSON" },
		{ "\"\xed\xa0\x80\"", "not JSON" },
		{ "9223372036854775808", "too big" },
		{ "1e400", "not JSON" },
		{ "// comment\n1", "not JSON" },
		{ "\xef\xbb\xbf{}", "not JSON" },
		{ "{\x1b[31m}", "near '\\x1b'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		json_value *value = (json_value *)&limits;

		assert_int_equal(
		    json_parse(cases[i].text, strlen(cases[i].text), &limits, &value, &err),
		    -EINVAL);
		if (strstr(err.message, cases[i].sentence) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", cases[i].sentence, err.message);
		assert_null(strchr(err.message, '\x1b'));
		assert_ptr_equal(value, &limits);
	}
}

static void
test_limits(void **state)
{
	struct error err = ERROR_INIT;
	json_value *value = NULL;
	char deep[200] = "";
	struct json_limits deepest = { .bytes_max = 100000, .depth_max = JSON_DEPTH_MAX };
	char deeper[2 * JSON_DEPTH_MAX + 2];

	(void)state;
	memset(deep, '[', 21);
	assert_int_equal(json_parse(deep, 21, &limits, &value, &err), -E2BIG);
	assert_non_null(strstr(err.message, "20 levels"));
	strcpy(deep, "\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"");
	assert_int_equal(json_parse(deep, strlen(deep), &limits, &value, &err), 0);
	json_free(value);
	strcpy(deep, "[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]");
	assert_int_equal(json_parse(deep, strlen(deep), &limits, &value, &err), 0);
	json_free(value);
	assert_int_equal(json_parse(deep, limits.bytes_max + 1, &limits, &value, &err), -E2BIG);
	assert_non_null(strstr(err.message, "100000 bytes"));

	memset(deeper, '[', JSON_DEPTH_MAX);
	memset(deeper + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	deeper[2 * JSON_DEPTH_MAX] = '\0';
	assert_int_equal(json_parse(deeper, 2 * JSON_DEPTH_MAX, &deepest, &value, &err), 0);
	assert_written(value, JSON_STYLE_COMPACT, deeper);
	json_free(value);
}

/* A NUL inside of the text ends nothing. */
static void
test_bytes(void **state)
{
	struct error err = ERROR_INIT;
	json_value *value = NULL;

	(void)state;
	assert_int_equal(json_parse("{}\0{}", 5, &limits, &value, &err), -EINVAL);
	assert_int_equal(json_parse("\"a\0b\"", 5, &limits, &value, &err), -EINVAL);
	assert_int_equal(json_parse("12", 1, &limits, &value, &err), 0);
	assert_written(value, JSON_STYLE_COMPACT, "1");
	json_free(value);
}

static void
test_places(void **state)
{
	_cleanup_json_ json_value *value =
	    parse("{\"a/b~c\":[0,{\"x\\u001b\":5}],\"s\":\"text\",\"t\":true}");
	struct json_place root = JSON_PLACE_OF(value);
	struct json_place list, item, member = { 0 };
	struct error err = ERROR_INIT;
	const char *text = NULL;
	int64_t number = 0;
	bool is_true = false;

	(void)state;
	assert_int_equal(json_count(&root), 3);
	assert_false(json_member(&root, "b", &list));
	assert_true(json_member(&root, "a/b~c", &list));
	assert_int_equal(json_count(&list), 2);
	assert_false(json_member(&list, "x", &item));
	json_item(&list, 1, &item);
	assert_true(json_next_member(&item, &member));
	assert_int_equal(json_get_string(&member, &text, &err), -EINVAL);
	assert_string_equal(err.message, "at /a~1b~0c/1/x\\x1b: an integer where a string belongs");
	assert_null(text);
	assert_int_equal(json_get_integer(&member, 6, 9, &number, &err), -ERANGE);
	assert_non_null(strstr(err.message, "5 is not between 6 and 9"));
	assert_int_equal(json_get_integer(&member, 5, 5, &number, &err), 0);
	assert_int_equal(number, 5);
	assert_false(json_next_member(&item, &member));
	assert_int_equal(json_expect(&root, JSON_KIND_ARRAY, &err), -EINVAL);
	assert_string_equal(err.message, "at the top: an object where an array belongs");
	assert_true(json_member(&root, "s", &item));
	assert_int_equal(json_get_string(&item, &text, &err), 0);
	assert_string_equal(text, "text");
	assert_int_equal(json_count(&item), 0);
	assert_true(json_member(&root, "t", &item));
	assert_int_equal(json_get_bool(&item, &is_true, &err), 0);
	assert_true(is_true);
}

static void
test_long_names_are_cut_in_a_place(void **state)
{
	char text[3000] = "{\"";
	struct json_place member = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	memset(text + 2, 'n', 2000);
	strcpy(text + 2002, "\":1}");
	{
		_cleanup_json_ json_value *value = parse(text);
		struct json_place root = JSON_PLACE_OF(value);

		assert_true(json_next_member(&root, &member));
		assert_int_equal(json_expect(&member, JSON_KIND_NULL, &err), -EINVAL);
	}
	assert_non_null(strstr(err.message, "nnn...: an integer where null belongs"));
	assert_true(strlen(err.message) < 150);
}

static void
test_making(void **state)
{
	_cleanup_json_ json_value *object = json_new_object();
	json_value *array = json_new_array();

	(void)state;
	json_append(array, json_new_integer(INT64_MIN));
	json_append(array, json_new_bool(false));
	json_append(array, json_new_string("bad \xff\x1b\"byte"));
	json_append(array, json_new_text("a\0b", 3));
	json_append(array, json_new_text("\xff\0\xc3", 3));
	json_append(array, json_new_text("", 0));
	json_set(object, "z", array);
	json_set(object, "a", json_share(array));
	json_set(object, "m", json_new_string("old"));
	json_set(object, "b", json_new_object());
	json_set(object, "m", json_new_string("new"));
#define WRITTEN                                                                                    \
	"[-9223372036854775808,false,\"bad \xef\xbf\xbd\\u001b\\\"byte\",\"a\\u0000b\","                 \
	"\"\xef\xbf\xbd\\u0000\xef\xbf\xbd\",\"\"]"
	assert_written(object, JSON_STYLE_COMPACT,
		       "{\"z\":" WRITTEN ",\"a\":" WRITTEN ",\"m\":\"new\",\"b\":{}}");
	json_free(NULL);
}

static void
test_the_same_value(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool is_same;
	} cases[] = {
		{ "1", "1", true },	  { "\"1\"", "\"1\"", true }, { "1", "\"1\"", false },
		{ "1", "1.0", false },	  { "\"a\"", "\"b\"", false }, { "{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true },
		{ "[1,2]", "[2,1]", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_value *a = parse(cases[i].a);
		_cleanup_json_ json_value *b = parse(cases[i].b);

		assert_int_equal(json_is_same(a, b), cases[i].is_same);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_what_was_read),
		cmocka_unit_test(test_indented),
		cmocka_unit_test(test_invalid_texts),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_long_names_are_cut_in_a_place),
		cmocka_unit_test(test_making),
		cmocka_unit_test(test_the_same_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
