/* config/env_file: what a line means, and what is refused at which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/env_file.h"
#include "util/macros.h"
#include "util/mem.h"

/* The entries of a file as "KEY=<VALUE>" or "KEY", with blanks between them. */
static const struct {
	const char *text;
	const char *entries;
} valid[] = {
	{ "", "" },
	{ "\n", "" },
	{ "\r\n", "" },
	{ "   \n\t\n", "" },
	{ "# comment\n", "" },
	{ "  # comment", "" },
	{ "#A=1\nB=2", "B=<2>" },
	{ "A=1", "A=<1>" },
	{ "A=1\n", "A=<1>" },
	{ "A=1\r\n", "A=<1>" },
	{ "A=1\r", "A=<1>" },
	{ "A=1\r\nB=2\r\n", "A=<1> B=<2>" },
	{ "A=1\nB=2\n", "A=<1> B=<2>" },
	{ "A=1\n\n\nB=2", "A=<1> B=<2>" },
	{ "A=1\nA=2\n", "A=<1> A=<2>" },
	{ "\xef\xbb\xbf"
	  "A=1\n",
	  "A=<1>" },
	{ "\xef\xbb\xbf", "" },
	{ "  A=1\n", "A=<1>" },
	{ "\tA=1\n", "A=<1>" },
	{ "A=", "A=<>" },
	{ "A=\n", "A=<>" },
	{ "A=\r\n", "A=<>" },
	{ "A=   \n", "A=<>" },
	{ "A", "A" },
	{ "A\n", "A" },
	{ "A  \r\n", "A" },
	{ "A # passed\n", "A" },
	{ "export A=1\n", "A=<1>" },
	{ "export\tA=1\n", "A=<1>" },
	{ "export   A\n", "A" },
	{ "  export A=1", "A=<1>" },
	{ "export=1", "export=<1>" },
	{ "exported=1", "exported=<1>" },
	{ "export", "export" },
	{ "A = 1", "A=<1>" },
	{ "A =1", "A=<1>" },
	{ "A= 1", "A=<1>" },
	{ "A=1  ", "A=<1>" },
	{ "A=a b c", "A=<a b c>" },
	{ "A=a=b", "A=<a=b>" },
	{ "A==", "A=<=>" },
	{ "A=1 # comment", "A=<1>" },
	{ "A=1\t# comment", "A=<1>" },
	{ "A=1#2", "A=<1#2>" },
	{ "A=#1", "A=<#1>" },
	{ "A= #1", "A=<>" },
	{ "A=http://example.com/#top", "A=<http://example.com/#top>" },
	{ "A=$HOME", "A=<$HOME>" },
	{ "A=`id`$(id)", "A=<`id`$(id)>" },
	{ "A=C:\\dir\\new", "A=<C:\\dir\\new>" },
	{ "A=it's", "A=<it's>" },
	{ "A=a\"b", "A=<a\"b>" },
	{ "A=a\rb\n", "A=<a\rb>" },
	{ "A=\xc3\xa9\n", "A=<\xc3\xa9>" },
	{ "A='1'", "A=<1>" },
	{ "A=''", "A=<>" },
	{ "A=' 1 '", "A=< 1 >" },
	{ "A= '1' ", "A=<1>" },
	{ "A='a\"b'", "A=<a\"b>" },
	{ "A='a\\nb\\'", "A=<a\\nb\\>" },
	{ "A='$HOME # no'", "A=<$HOME # no>" },
	{ "A='1' # comment", "A=<1>" },
	{ "A='1'\r\nB=2", "A=<1> B=<2>" },
	{ "A=\"1\"", "A=<1>" },
	{ "A=\"\"", "A=<>" },
	{ "A=\" 1 \"", "A=< 1 >" },
	{ "A=\"it's\"", "A=<it's>" },
	{ "A=\"a\\nb\\tc\"", "A=<a\nb\tc>" },
	{ "A=\"a\\\"b\\\\c\\$d\"", "A=<a\"b\\c$d>" },
	{ "A=\"\\a\\'\\q\"", "A=<\\a\\'\\q>" },
	{ "A=\"\\\\n\"", "A=<\\n>" },
	{ "A=\"a # b\"", "A=<a # b>" },
	{ "A=\"1\" # comment\nB=2", "A=<1> B=<2>" },
	{ "A=\"$HOME ${X}\"", "A=<$HOME ${X}>" },
	{ "A=\"one\ntwo\"\nB=2", "A=<one\ntwo> B=<2>" },
	{ "A='one\r\ntwo'\r\nB=2", "A=<one\ntwo> B=<2>" },
	{ "A=\"one\\\ntwo\"", "A=<one\\\ntwo>" },
};

static char *
entries_text(const struct env_request *env)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < env->count; i++) {
		const struct env_entry *entry = &env->entries[i];

		strbuf_printf(&text, "%s%s", i > 0 ? " " : "", entry->key);
		if (entry->kind == ENV_ENTRY_SET)
			strbuf_printf(&text, "=<%s>", entry->value);
	}
	return strbuf_take(&text);
}

static void
test_valid_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(valid); i++) {
		struct env_request env = { 0 };
		struct error err = ERROR_INIT;
		_cleanup_free_ char *entries = NULL;

		if (env_file_parse(valid[i].text, strlen(valid[i].text), "f", &env, &err) < 0)
			fail_msg("case %zu, %s: %s", i, valid[i].text, err.message);
		entries = entries_text(&env);
		if (strcmp(entries, valid[i].entries) != 0)
			fail_msg("case %zu, %s: %s", i, valid[i].text, entries);
		env_request_done(&env);
	}
}

static const struct {
	const char *text;
	const char *place;
} invalid[] = {
	{ "hunter2!", "f:1: " },
	{ "=hunter2", "f:1: " },
	{ "=", "f:1: " },
	{ "A=1\n\nhunter2 hunter2", "f:3: " },
	{ "A=1\r\n9B=hunter2\r\n", "f:2: " },
	{ "hunter-2=hunter2", "f:1: " },
	{ "a.hunter2=1", "f:1: " },
	{ "export export A=hunter2", "f:1: " },
	{ "export =hunter2", "f:1: " },
	{ "export 'A'=hunter2", "f:1: " },
	{ "\"A\"=hunter2", "f:1: " },
	{ "set A=hunter2", "f:1: " },
	{ "A: hunter2", "f:1: " },
	{ "A+=hunter2", "f:1: " },
	{ "A#hunter2", "f:1: " },
	{ "A='hunter2", "f:1: " },
	{ "A=\"hunter2", "f:1: " },
	{ "A=\"hunter2\\\"", "f:1: " },
	{ "B=1\nA='hunter2\nhunter2\n", "f:2: " },
	{ "A='one\ntwo'\nB=\"hunter2", "f:3: " },
	{ "A=\"1\"hunter2", "f:1: " },
	{ "A='1' hunter2", "f:1: " },
	{ "A='1''hunter2'", "f:1: " },
	{ "A=\"1\"#hunter2", "f:1: " },
	{ "A='one\ntwo' hunter2", "f:2: " },
	{ "\xef\xbb\xbf\xef\xbb\xbfhunter2=1", "f:1: " },
	{ "\xc3\xa9=hunter2", "f:1: " },
	{ "-----BEGIN hunter2-----", "f:1: " },
};

static void
test_invalid_files_name_the_line_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
		struct env_request env = { 0 };
		struct error err = ERROR_INIT;
		int r = env_file_parse(invalid[i].text, strlen(invalid[i].text), "f", &env, &err);

		if (r != -EINVAL || strncmp(err.message, invalid[i].place, 5) != 0 ||
		    strstr(err.message, "hunter") != NULL)
			fail_msg("case %zu, %s: %d %s", i, invalid[i].text, r, err.message);
		env_request_done(&env);
	}
}

static void
test_bytes_and_limits(void **state)
{
	static const char with_nul[] = "A=1\nB=\0hunter2\n";
	_cleanup_free_ char *big = mem_zalloc(ENV_FILE_MAX_BYTES + 2, 1);
	struct env_request env = { 0 };
	struct error err = ERROR_INIT;
	struct strbuf many = STRBUF_INIT;

	(void)state;
	assert_int_equal(env_file_parse(with_nul, sizeof(with_nul) - 1, "f", &env, &err), -EINVAL);
	assert_true(str_starts_with(err.message, "f:2: "));
	memset(big, '\n', ENV_FILE_MAX_BYTES + 1);
	assert_int_equal(env_file_parse(big, ENV_FILE_MAX_BYTES, "f", &env, &err), 0);
	assert_int_equal(env_file_parse(big, ENV_FILE_MAX_BYTES + 1, "f", &env, &err), -EFBIG);
	memset(big, 'A', ENV_FILE_MAX_BYTES);
	big[1] = '=';
	assert_int_equal(env_file_parse(big, ENV_FILE_MAX_BYTES, "f", &env, &err), -E2BIG);
	assert_true(str_starts_with(err.message, "f:1: "));
	assert_int_equal(env.count, 0);
	for (size_t i = 0; i <= ENV_ENTRIES_MAX; i++)
		strbuf_puts(&many, "A=1\n");
	assert_int_equal(env_file_parse(many.text, many.length, "f", &env, &err), -E2BIG);
	assert_true(str_starts_with(err.message, "f:4097: "));
	strbuf_done(&many);
	env_request_done(&env);
	/* The length counts, not a NUL behind it. */
	assert_int_equal(env_file_parse("A=1B=2", 3, "f", &env, &err), 0);
	assert_string_equal(env.entries[0].value, "1");
	env_request_done(&env);
}

static void
test_files_of_the_machine(void **state)
{
	char directory[] = "/tmp/porta-env-file-XXXXXX";
	_cleanup_free_ char *path = NULL;
	struct env_request env = { 0 };
	struct error err = ERROR_INIT;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	path = mem_printf("%s/env", directory);
	assert_int_equal(env_file_load(path, &env, &err), -ENOENT);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(env_file_load(directory, &env, &err), -EISDIR);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("# test\nA='x y'\n", file);
	fclose(file);
	assert_int_equal(env_file_load(path, &env, &err), 0);
	assert_int_equal(env.count, 1);
	assert_string_equal(env.entries[0].value, "x y");
	assert_int_equal(truncate(path, ENV_FILE_MAX_BYTES + 1), 0);
	assert_int_equal(env_file_load(path, &env, &err), -EFBIG);
	if (geteuid() != 0) {
		assert_int_equal(chmod(path, 0), 0);
		assert_int_equal(env_file_load(path, &env, &err), -EACCES);
	}
	env_request_done(&env);
	unlink(path);
	rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_files),
		cmocka_unit_test(test_invalid_files_name_the_line_alone),
		cmocka_unit_test(test_bytes_and_limits),
		cmocka_unit_test(test_files_of_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
