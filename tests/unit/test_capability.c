/* policy/capability: what each import needs, profiles, and the sentences of a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/capability.h"
#include "util/macros.h"

#define WASI	  "wasi_snapshot_preview1"
#define SET(name) (1U << CAPABILITY_##name)
#define ALL	  (SET(COUNT) - 1)

/* Written from the WASI document, not from the table. */
static const struct {
	const char *capability;
	const char *functions;
} expected[] = {
	{ "io",
	  "fd_close fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_read fd_renumber "
	  "fd_seek fd_tell fd_write" },
	{ "fs", "fd_advise fd_datasync fd_filestat_get fd_pread fd_prestat_dir_name fd_prestat_get "
		"fd_readdir fd_sync path_filestat_get path_open path_readlink" },
	{ "fs.write", "fd_allocate fd_filestat_set_size fd_filestat_set_times fd_pwrite "
		      "path_create_directory path_filestat_set_times path_link "
		      "path_remove_directory path_rename path_symlink path_unlink_file" },
	{ "process", "args_get args_sizes_get proc_exit proc_raise sched_yield" },
	{ "env", "environ_get environ_sizes_get" },
	{ "clock", "clock_res_get clock_time_get poll_oneoff" },
	{ "random", "random_get" },
	{ "net", "sock_accept sock_recv sock_send sock_shutdown" },
};

static const char *
needed(const char *module, const char *name)
{
	struct import_verdict verdict;

	capability_of_import(module, name, true, &verdict);
	assert_int_equal(verdict.kind, IMPORT_KNOWN);
	return capability_name(verdict.capability);
}

static void
test_every_function_of_wasi(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		char functions[1024];
		char *rest = NULL;

		snprintf(functions, sizeof(functions), "%s", expected[i].functions);
		for (char *name = strtok_r(functions, " ", &rest); name != NULL;
		     name = strtok_r(NULL, " ", &rest), count++)
			assert_string_equal(needed(WASI, name), expected[i].capability);
	}
	assert_int_equal(count, 46);
	assert_string_equal(needed("porta", "emit"), "io");
	assert_string_equal(needed("porta", "exec_command"), "exec");
	assert_string_equal(needed("porta", "http_request"), "net");
}

static void
test_the_table_names_each_once(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct capability_function *f = capability_functions; f->name != NULL; f++) {
		count++;
		for (const struct capability_function *g = f + 1; g->name != NULL; g++)
			assert_false(str_equal(f->module, g->module) &&
				     str_equal(f->name, g->name));
	}
	assert_int_equal(count, 46 + 3);
}

static void
test_profiles(void **state)
{
	struct error err = ERROR_INIT;
	capability_set set = 0;

	(void)state;
	assert_int_equal(capability_profile("ai-agent", &set, &err), 0);
	assert_int_equal(set, SET(IO) | SET(PROCESS));
	assert_int_equal(capability_profile("worker", &set, &err), 0);
	assert_int_equal(set, SET(IO) | SET(PROCESS) | SET(CLOCK) | SET(RANDOM));
	assert_int_equal(capability_profile("full", &set, &err), 0);
	assert_int_equal(set, ALL);
	set = 77;
	assert_int_equal(capability_profile("Full", &set, &err), -EINVAL);
	assert_int_equal(capability_profile("", &set, &err), -EINVAL);
	assert_int_equal(set, 77);
	assert_non_null(strstr(err.message, "ai-agent"));
	assert_string_equal(capability_profile_name(0), "ai-agent");
	assert_string_equal(capability_profile_name(2), "full");
	assert_null(capability_profile_name(3));
}

static void
test_lists(void **state)
{
	static const struct {
		const char *text;
		const char *shown; /* NULL: refused */
	} cases[] = {
		{ "io", "io" },
		{ "io,fs", "io, fs" },
		{ "fs.write,io,io", "io, fs.write" },
		{ "io,fs,fs.write,process,env,clock,random,net,exec",
		  "io, fs, fs.write, process, env, clock, random, net, exec" },
		{ "", NULL },
		{ ",", NULL },
		{ "io,", NULL },
		{ ",io", NULL },
		{ "io,,fs", NULL },
		{ "io fs", NULL },
		{ "io, fs", NULL },
		{ "IO", NULL },
		{ "fs.", NULL },
		{ "fs.writes", NULL },
		{ "all", NULL },
		{ "io,frob", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf shown = STRBUF_INIT;
		struct error err = ERROR_INIT;
		capability_set set = 0;
		int r = capability_parse_list(cases[i].text, &set, &err);

		assert_int_equal(r, cases[i].shown != NULL ? 0 : -EINVAL);
		if (r < 0) {
			assert_int_equal(set, 0);
			assert_non_null(strstr(err.message, "fs.write, process"));
			continue;
		}
		capability_put_set(&shown, set);
		assert_string_equal(shown.text, cases[i].shown);
		strbuf_done(&shown);
	}
}

static void
test_the_empty_set(void **state)
{
	struct strbuf shown = STRBUF_INIT;

	(void)state;
	capability_put_set(&shown, 0);
	assert_string_equal(shown.text, "none");
	strbuf_done(&shown);
}

static void
assert_refusal(const char *module, const char *name, bool is_function, capability_set granted,
	       const char *sentence)
{
	struct strbuf out = STRBUF_INIT;

	assert_int_equal(capability_refusal(module, name, is_function, granted, &out),
			 sentence != NULL);
	if (sentence != NULL && strstr(out.text, sentence) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", sentence, out.text);
	if (sentence == NULL)
		assert_int_equal(out.length, 0);
	strbuf_done(&out);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *module;
		const char *name;
		bool is_function;
		capability_set granted;
		const char *sentence; /* NULL: not refused */
	} cases[] = {
		{ WASI, "fd_write", true, SET(IO), NULL },
		{ WASI, "path_open", true, ALL, NULL },
		{ "porta", "exec_command", true, ALL, NULL },
		{ WASI, "fd_write", true, 0,
		  "the import \"fd_write\" of \"" WASI "\" needs the capability io: grant it with "
		  "--cap io or --profile ai-agent" },
		{ WASI, "random_get", true, SET(IO) | SET(PROCESS),
		  "needs the capability random: grant it with --cap io,process,random or --profile "
		  "worker" },
		{ WASI, "path_open", true, SET(CLOCK),
		  "needs the capability fs: grant it with --cap fs,clock or --profile full" },
		{ WASI, "path_rename", true, ALL & ~SET(FS_WRITE), "the capability fs.write: " },
		{ "porta", "exec_command", true, SET(IO), "--cap io,exec or --profile full" },
		{ "porta", "emit", true, 0, "needs the capability io" },
		{ WASI, "sock_open", true, ALL, "none of the 46 functions" },
		{ WASI, "", true, ALL, "the import \"\" of" },
		{ WASI, "FD_WRITE", true, ALL, "none of the 46 functions" },
		{ "porta", "fd_write", true, ALL, "no function of the agent protocol" },
		{ "wasi_unstable", "fd_write", true, ALL, "WASI preview 0" },
		{ "wasi:cli/stdout@0.2.0", "get-stdout", true, ALL, "component model" },
		{ "wasi_snapshot_preview2", "fd_write", true, ALL, "another version" },
		{ "wasi_ephemeral_nn", "load", true, ALL, "a proposal" },
		{ "env", "puts", true, ALL, "not linked" },
		{ "environment", "puts", true, ALL, "not of WASI preview 1: porta has that" },
		{ "gojs", "runtime.wasmExit", true, ALL, "GOOS=wasip1" },
		{ "wasi", "thread-spawn", true, ALL, "one thread" },
		{ "wasix_32v1", "proc_fork", true, ALL, "WASIX" },
		{ "__wbindgen_placeholder__", "f", true, ALL, "wasm-bindgen" },
		{ "", "", true, ALL, "the import \"\" of \"\"" },
		{ "env", "memory", false, ALL, "no function but a memory, table" },
		{ WASI, "fd_write", false, ALL, "no function but a memory" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refusal(cases[i].module, cases[i].name, cases[i].is_function,
			       cases[i].granted, cases[i].sentence);
}

static void
test_hostile_names(void **state)
{
	char long_name[5000];

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (const char *hostile = "\x1b\n\x7f\x9b\"\\"; *hostile != '\0'; hostile++) {
		char name[] = { 'a', *hostile, 'b', '\0' };
		char shown[16];

		snprintf(shown, sizeof(shown), "\"a\\x%02xb\"", (unsigned char)*hostile);
		assert_refusal(name, "f", true, ALL, shown);
		assert_refusal(WASI, name, true, ALL, shown);
		assert_refusal("m", name, false, ALL, shown);
	}
	/* Text that is shown from right to left would turn the sentence around. */
	assert_refusal("\xe2\x80\xae", "f", true, ALL, "\"\\xe2\\x80\\xae\"");
	assert_refusal(WASI, long_name, true, ALL, "xxx...\"");
	assert_refusal(long_name, long_name, true, ALL, "xxx...\"");
}

/* What compilers put into a program that prints a line. */
static void
test_hello_of_a_c_program_needs_little(void **state)
{
	static const char *const imports[] = { "fd_close",	 "fd_fdstat_get", "fd_seek",
					       "fd_write",	 "fd_read",	  "args_get",
					       "args_sizes_get", "proc_exit" };
	capability_set granted = 0;
	struct error err;

	(void)state;
	assert_int_equal(capability_profile("ai-agent", &granted, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(imports); i++)
		assert_refusal(WASI, imports[i], true, granted, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_function_of_wasi),
		cmocka_unit_test(test_the_table_names_each_once),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_the_empty_set),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_hello_of_a_c_program_needs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
