/* What a worker says of a module, which may be anything. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"
#include "wasm/facts.h"

#define LISTS "\"imports\":[],\"exports\":[],\"memories\":[],\"sections\":[]"
#define MODULE "{\"kind\":\"module\",\"functions\":1,\"has_start\":false,"

static const char whole[] =
    MODULE "\"name\":\"n\",\"manifest\":\"{}\","
	   "\"imports\":[{\"module\":\"wasi_snapshot_preview1\",\"name\":\"path_open\",\"kind\":\"function\"},"
	   "{\"module\":\"env\",\"name\":\"x\",\"kind\":\"memory\"}],"
	   "\"exports\":[{\"name\":\"_start\",\"kind\":\"function\"},{\"name\":\"memory\",\"kind\":\"memory\"}],"
	   "\"memories\":[{\"minimum\":1,\"imported\":false,\"shared\":false},"
	   "{\"minimum\":2,\"maximum\":3,\"imported\":true,\"shared\":true}],"
	   "\"sections\":[{\"name\":\"producers\",\"bytes\":7}]}";

static int
parse(const char *text)
{
	struct facts facts = FACTS_INIT;
	struct error err = ERROR_INIT;
	int r = facts_parse(text, strlen(text), &facts, &err);

	/* A sentence for each refusal, and nothing left. */
	if (r < 0)
		assert_true(err.message[0] != '\0' && facts.root == NULL && facts.imports == NULL);
	facts_done(&facts);
	return r;
}

static void
test_what_a_worker_says(void **state)
{
	struct facts facts = FACTS_INIT;
	struct error err = ERROR_INIT;
	struct strv refusals = STRV_INIT;

	(void)state;
	assert_int_equal(facts_parse(whole, strlen(whole), &facts, &err), 0);
	assert_false(facts.is_component);
	assert_string_equal(facts.name, "n");
	assert_string_equal(facts.manifest, "{}");
	assert_int_equal(facts.imports_count, 2);
	assert_string_equal(facts.imports[0].name, "path_open");
	assert_int_equal(facts.memories_count, 2);
	assert_true(facts.memories[0].maximum_pages == -1 && facts.memories[1].maximum_pages == 3);
	assert_true(facts.memories[1].is_imported && facts.memories[1].is_shared);
	assert_true(facts.sections[0].bytes == 7);
	assert_true(facts_exports_function(&facts, "_start"));
	assert_false(facts_exports_function(&facts, "memory"));
	assert_false(facts_exports_function(&facts, "other"));
	assert_true(facts_reaches_files(&facts));
	facts_put_refusals(&facts, ~0U, &refusals);
	assert_int_equal(refusals.count, 1);
	facts_put_refusals(&facts, 0, &refusals);
	assert_int_equal(refusals.count, 3);
	strv_done(&refusals);
	facts_done(&facts);
	facts_done(&facts);
}

static void
test_forms(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "{\"kind\":\"component\"}", 0 },
		{ MODULE LISTS "}", 0 },
		{ MODULE LISTS ",\"more\":5}", 0 },
		{ "", -EINVAL },
		{ "null", -EINVAL },
		{ "[]", -EINVAL },
		{ "{}", -EINVAL },
		{ "{\"kind\":5}", -EINVAL },
		{ "{\"kind\":\"module\"}", -EINVAL },
		{ MODULE "\"imports\":[],\"exports\":[],\"memories\":[]}", -EINVAL },
		{ MODULE LISTS ",\"name\":5}", -EINVAL },
		{ MODULE LISTS ",\"manifest\":{}}", -EINVAL },
		{ MODULE LISTS ",\"kind\":\"component\"}", -EINVAL }, /* a name twice */
		{ "{\"kind\":\"module\",\"functions\":-1,\"has_start\":false," LISTS "}", -EINVAL },
		{ "{\"kind\":\"module\",\"functions\":1e3,\"has_start\":false," LISTS "}", -EINVAL },
		{ "{\"kind\":\"module\",\"functions\":1,\"has_start\":0," LISTS "}", -EINVAL },
		{ "{\"kind\":\"module\",\"functions\":99999999999999999999,\"has_start\":false," LISTS "}",
		  -EINVAL },
		{ MODULE "\"imports\":{},\"exports\":[],\"memories\":[],\"sections\":[]}", -EINVAL },
		{ MODULE "\"imports\":[5],\"exports\":[],\"memories\":[],\"sections\":[]}", -EINVAL },
		{ MODULE "\"imports\":[{}],\"exports\":[],\"memories\":[],\"sections\":[]}", -EINVAL },
		{ MODULE "\"imports\":[{\"module\":\"a\",\"name\":\"b\"}],\"exports\":[],\"memories\":[],"
			 "\"sections\":[]}",
		  -EINVAL },
		{ MODULE "\"imports\":[{\"module\":\"a\",\"name\":\"b\\u0000\",\"kind\":\"function\"}],"
			 "\"exports\":[],\"memories\":[],\"sections\":[]}",
		  -EINVAL },
		{ MODULE "\"imports\":[],\"exports\":[{\"name\":null,\"kind\":\"\"}],\"memories\":[],"
			 "\"sections\":[]}",
		  -EINVAL },
		{ MODULE "\"imports\":[],\"exports\":[],\"memories\":[{\"minimum\":-1,\"imported\":false,"
			 "\"shared\":false}],\"sections\":[]}",
		  -EINVAL },
		{ MODULE "\"imports\":[],\"exports\":[],\"memories\":[],\"sections\":[{\"name\":\"x\","
			 "\"bytes\":\"7\"}]}",
		  -EINVAL },
		{ MODULE "\"imports\":[[[[[[]]]]]],\"exports\":[],\"memories\":[],\"sections\":[]}", -EINVAL },
		{ MODULE LISTS "} x", -EINVAL },
		{ MODULE "\"name\":\"\xff\"," LISTS "}", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = parse(cases[i].text);

		if ((r < 0) != (cases[i].r < 0))
			fail_msg("%s: %d", cases[i].text, r);
	}
}

static void
test_cut_off_anywhere(void **state)
{
	(void)state;
	for (size_t length = 0; length < strlen(whole); length++) {
		_cleanup_free_ char *text = mem_strndup(whole, length);

		assert_true(parse(text) < 0);
	}
}

static void
test_files_are_reached_by_paths(void **state)
{
	static const struct {
		const char *name;
		bool reaches;
	} cases[] = {
		{ "path_open", true },	 { "path_symlink", true },  { "fd_readdir", true },
		{ "fd_read", false },	 { "fd_prestat_get", false }, { "fd_write", false },
		{ "http_request", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct facts_import import = { "wasi_snapshot_preview1", cases[i].name, "function" };
		struct facts facts = { .imports = &import, .imports_count = 1 };

		assert_int_equal(facts_reaches_files(&facts), cases[i].reaches);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_worker_says),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cut_off_anywhere),
		cmocka_unit_test(test_files_are_reached_by_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
