/* git's configuration syntax, and which settings run programs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/git_config.h"
#include "util/macros.h"

static void
collect(void *data, const char *name, const char *value)
{
	struct strbuf *out = data;

	strbuf_printf(out, "%s%s%s|", name, value ? "=" : "", value ? value : "");
}

static void
check_parse(const char *text, int expected, const char *settings)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_puts(&out, "");
	assert_int_equal(git_config_parse(text, strlen(text), collect, &out), expected);
	assert_string_equal(out.text, settings);
	strbuf_done(&out);
}

static void
test_syntax(void **state)
{
	(void)state;
	check_parse("", 0, "");
	check_parse("[core]\n\tbare = false\n", 0, "core.bare=false|");
	check_parse("\xef\xbb\xbf[core]\r\n\tBare = false\r\n", 0, "core.bare=false|");
	check_parse("[core] fsmonitor = x ; comment\n# more\n", 0, "core.fsmonitor=x|");
	check_parse("[core]bare\n[a]b=c", 0, "core.bare|a.b=c|");
	check_parse("[CORE]\nHooksPath=a b\n", 0, "core.hookspath=a b|");
	check_parse("[remote \"Or.i\\\"gin\"]\nurl = u\n", 0, "remote.Or.i\"gin.url=u|");
	check_parse("[Filter.Lfs]\nclean = c\n", 0, "filter.lfs.clean=c|");
	check_parse("[a]\nb = \" x ; y \" # z\n", 0, "a.b= x ; y |");
	check_parse("[a]\nb = one \\\n  two\n", 0, "a.b=one   two|");
	check_parse("[a]\nb = q\\\"\\t\\\\\\n\n", 0, "a.b=q\"\t\\\n|");
	check_parse("[a]\nb = \"c\"d  \n", 0, "a.b=cd|");
	check_parse("a = b\n", 0, "a=b|");
}

static void
test_malformed(void **state)
{
	(void)state;
	check_parse("[core\nbare = x\n", -EINVAL, "");
	check_parse("[core \"x]\n", -EINVAL, "");
	check_parse("[core \"x\" ]\n", -EINVAL, "");
	check_parse("[a]\nb = \"open\n", -EINVAL, "");
	check_parse("[a]\nb = \\q\n", -EINVAL, "");
	check_parse("[a]\nb = c\n!\n", -EINVAL, "a.b=c|");
	check_parse("[a]\nb c\n", -EINVAL, "");
	check_parse("[a]\n1b = c\n", -EINVAL, "");
}

static void
test_programs(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		bool runs;
	} cases[] = {
		{ "core.hookspath", ".githooks", true },
		{ "core.fsmonitor", "./evil", true },
		{ "core.fsmonitor", "true", false },
		{ "core.fsmonitor", NULL, false },
		{ "core.sshcommand", "x", true },
		{ "core.bare", "false", false },
		{ "core.autocrlf", "input", false },
		{ "alias.st", "status", true },
		{ "alias.x", "!sh", true },
		{ "filter.lfs.clean", "git-lfs clean", true },
		{ "filter.lfs.required", "true", false },
		{ "filter.a.b.c.process", "x", true },
		{ "diff.external", "x", true },
		{ "diff.png.textconv", "x", true },
		{ "diff.renames", "true", false },
		{ "merge.ours.driver", "true", true },
		{ "credential.helper", "!x", true },
		{ "credential.https://example.com.helper", "x", true },
		{ "credential.helper", "", false },
		{ "gpg.program", "x", true },
		{ "gpg.ssh.program", "x", true },
		{ "include.path", "../x", true },
		{ "includeif.gitdir:/x/.path", "y", true },
		{ "remote.origin.url", "https://example.com/x.git", false },
		{ "remote.origin.url", "ext::sh -c evil", true },
		{ "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*", false },
		{ "remote.origin.uploadpack", "x", true },
		{ "remote.origin.vcs", "x", true },
		{ "branch.main.remote", "origin", false },
		{ "branch.main.remote", "ext::x", true },
		{ "branch.main.merge", "refs/heads/main", false },
		{ "url.ext::sh -c evil.insteadof", "https://", true },
		{ "url.https://example.com/.insteadof", "gh:", false },
		{ "protocol.ext.allow", "always", true },
		{ "submodule.x.update", "!evil", true },
		{ "submodule.x.update", "checkout", false },
		{ "submodule.x.url", "https://example.com/y", false },
		{ "pager.log", "less", true },
		{ "pager.log", "false", false },
		{ "user.email", "a@example.com", false },
		{ "hook.x.command", "y", true },
		{ "trailer.sign.cmd", "x", true },
		{ "tar.xz.command", "x", true },
		{ "filter..clean", "x", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (git_config_runs_program(cases[i].name, cases[i].value) != cases[i].runs)
			fail_msg("%s=%s", cases[i].name,
				 cases[i].value ? cases[i].value : "(none)");
	}
	assert_true(git_config_is_include("include.path"));
	assert_true(git_config_is_include("includeif.onbranch:x.path"));
	assert_false(git_config_is_include("core.path"));
}

/* Any bytes: no crash, no read beyond the end (the sanitizers look). */
static void
test_any_bytes(void **state)
{
	static const char alphabet[] = "[]\"\\=;#\n\r\t ab.A-1!";
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct strv list = STRV_INIT;
		size_t length = (size_t)round % 40;
		char *text = malloc(length ? length : 1);

		for (size_t i = 0; i < length; i++) {
			random = random * 1664525 + 1013904223;
			text[i] = alphabet[(random >> 16) % sizeof(alphabet)];
		}
		git_config_list_programs(text, length, &list);
		strv_done(&list);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
