/* util/path: paths as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "util/macros.h"
#include "util/path.h"

static void
test_normal_forms(void **state)
{
	static const struct {
		const char *base;
		const char *path;
		const char *result;
	} cases[] = {
		{ "/b", "", "/b" },
		{ "/b", ".", "/b" },
		{ "/b", "./", "/b" },
		{ "/b", "a", "/b/a" },
		{ "/b", "./a", "/b/a" },
		{ "/b", "a/", "/b/a" },
		{ "/b", "a//c", "/b/a/c" },
		{ "/b", "a/./c", "/b/a/c" },
		{ "/b", "a/../c", "/b/c" },
		{ "/b", "..", "/" },
		{ "/b", "../..", "/" },
		{ "/b", "../../c", "/c" },
		{ "/b/c", "..", "/b" },
		{ "/b/c/", "d", "/b/c/d" },
		{ "/", "a", "/a" },
		{ "/b", "/", "/" },
		{ "/b", "//", "/" },
		{ "/b", "///a", "/a" },
		{ "/b", "/a", "/a" },
		{ "/b", "/a/", "/a" },
		{ "/b", "/a/..", "/" },
		{ "/b", "/..", "/" },
		{ "/b", "/../a", "/a" },
		{ "/b", "...", "/b/..." },
		{ "/b", ".a", "/b/.a" },
		{ "/b", "..a", "/b/..a" },
		{ "/b", "a/..b/.", "/b/a/..b" },
		{ "/b", " ", "/b/ " },
		{ "/b", "a\nb", "/b/a\nb" },
		{ "/b/../c", "a", "/c/a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *result = path_normalize(cases[i].base, cases[i].path);

		if (strcmp(result, cases[i].result) != 0)
			fail_msg("%s, %s: %s", cases[i].base, cases[i].path, result);
	}
}

static void
test_joining(void **state)
{
	static const struct {
		const char *directory;
		const char *name;
		const char *result;
	} cases[] = {
		{ "/a", "b", "/a/b" }, { "/a/", "b", "/a/b" }, { "/a//", "//b", "/a/b" },
		{ "/", "b", "/b" },    { "a", "b", "a/b" },    { "/a", "b/c", "/a/b/c" },
		{ "/a", "", "/a/" },   { "//", "b", "/b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *result = path_join(cases[i].directory, cases[i].name);

		assert_string_equal(result, cases[i].result);
	}
}

static void
test_what_is_beneath(void **state)
{
	static const struct {
		const char *path;
		const char *directory;
		bool is_beneath;
	} cases[] = {
		{ "/a", "/a", true },	    { "/a/b", "/a", true },	{ "/a/b/c", "/a", true },
		{ "/ab", "/a", false },	    { "/a", "/a/b", false },	{ "/b", "/a", false },
		{ "/", "/", true },	    { "/a", "/", true },	{ "/", "/a", false },
		{ "/a/b", "/a/bc", false }, { "/a/.b", "/a/.", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (path_is_beneath(cases[i].path, cases[i].directory) != cases[i].is_beneath)
			fail_msg("%s in %s", cases[i].path, cases[i].directory);
	}
}

static void
test_parts(void **state)
{
	static const struct {
		const char *path;
		const char *directory;
		const char *base;
	} cases[] = {
		{ "/a/b", "/a", "b" }, { "/a", "/", "a" },  { "a", ".", "a" },
		{ "a/b", "a", "b" },   { "/", "/", "" },    { "/a/b/c", "/a/b", "c" },
		{ "a/", "a", "" },     { "..", ".", ".." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *directory = path_dirname(cases[i].path);

		assert_string_equal(directory, cases[i].directory);
		assert_string_equal(path_basename(cases[i].path), cases[i].base);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal_forms),
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_what_is_beneath),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
