/* policy/env: what of the host's environment a command gets, and what is added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "policy/env.h"
#include "util/macros.h"
#include "util/mem.h"

static const char *
find(const struct strv *environment, const char *key)
{
	const char *value = NULL;
	size_t n = strlen(key);
	int found = 0;

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->items[i], key, n) == 0 &&
		    environment->items[i][n] == '=') {
			value = environment->items[i] + n + 1;
			found++;
		}
	}
	assert_true(found <= 1);
	return value;
}

static void
assert_value(const struct strv *environment, const char *key, const char *value)
{
	const char *found = find(environment, key);

	if ((found == NULL) != (value == NULL) || (found != NULL && strcmp(found, value) != 0))
		fail_msg("%s is %s, not %s", key, found ? found : "absent",
			 value ? value : "absent");
}

static void
test_what_is_passed_unasked(void **state)
{
	static const struct {
		const char *key;
		bool allowed;
	} cases[] = {
		{ "PATH", true },
		{ "HOME", true },
		{ "USER", true },
		{ "LOGNAME", true },
		{ "SHELL", true },
		{ "TERM", true },
		{ "COLORTERM", true },
		{ "LANG", true },
		{ "LANGUAGE", true },
		{ "LC_ALL", true },
		{ "LC_CTYPE", true },
		{ "TZ", true },
		{ "TMPDIR", true },
		{ "NO_COLOR", true },
		{ "FORCE_COLOR", true },
		{ "EDITOR", true },
		{ "XDG_CONFIG_HOME", true },
		{ "LC", false },
		{ "XLC_ALL", false },
		{ "PATHX", false },
		{ "PAT", false },
		{ "path", false },
		{ "", false },
		{ "DISPLAY", false },
		{ "WAYLAND_DISPLAY", false },
		{ "XAUTHORITY", false },
		{ "XDG_RUNTIME_DIR", false },
		{ "DBUS_SESSION_BUS_ADDRESS", false },
		{ "SSH_AUTH_SOCK", false },
		{ "SSH_CONNECTION", false },
		{ "DOCKER_HOST", false },
		{ "GPG_AGENT_INFO", false },
		{ "TMUX", false },
		{ "AWS_SECRET_ACCESS_KEY", false },
		{ "GITHUB_TOKEN", false },
		{ "NPM_TOKEN", false },
		{ "KUBECONFIG", false },
		{ "http_proxy", false },
		{ "HTTPS_PROXY", false },
		{ "NO_PROXY", false },
		{ "LD_PRELOAD", false },
		{ "LD_LIBRARY_PATH", false },
		{ "GLIBC_TUNABLES", false },
		{ "NODE_OPTIONS", false },
		{ "PYTHONPATH", false },
		{ "BASH_ENV", false },
		{ "ENV", false },
		{ "GIT_DIR", false },
		{ "PORTA_SANDBOX", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (env_is_allowed(cases[i].key) != cases[i].allowed)
			fail_msg("%s", cases[i].key);
	}
}

static void
test_requests_as_text(void **state)
{
	static const struct {
		const char *text;
		const char *key; /* NULL: refused */
		const char *value;
	} cases[] = {
		{ "KEY=value", "KEY", "value" },
		{ "KEY=", "KEY", "" },
		{ "KEY=a=b", "KEY", "a=b" },
		{ "KEY= a b ", "KEY", " a b " },
		{ "KEY=a\nb", "KEY", "a\nb" },
		{ "_k9=x", "_k9", "x" },
		{ "KEY", "KEY", NULL },
		{ "", NULL, NULL },
		{ "=", NULL, NULL },
		{ "=value", NULL, NULL },
		{ "9KEY=value", NULL, NULL },
		{ "KEY =value", NULL, NULL },
		{ " KEY=value", NULL, NULL },
		{ "K-Y=value", NULL, NULL },
		{ "K.Y", NULL, NULL },
		{ "K\xc3\xa9=value", NULL, NULL },
		{ "--env=A=1", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct env_request env = { 0 };
		struct error err = ERROR_INIT;
		int r = env_request_add(&env, cases[i].text, &err);

		if (r != (cases[i].key != NULL ? 0 : -EINVAL))
			fail_msg("\"%s\": %d %s", cases[i].text, r, err.message);
		if (r < 0) {
			assert_non_null(strstr(err.message, "KEY=VALUE"));
			assert_null(strstr(err.message, "value\""));
			assert_int_equal(env.count, 0);
		} else {
			assert_string_equal(env.entries[0].key, cases[i].key);
			assert_int_equal(env.entries[0].kind,
					 cases[i].value ? ENV_ENTRY_SET : ENV_ENTRY_PASS);
			if (cases[i].value != NULL)
				assert_string_equal(env.entries[0].value, cases[i].value);
			else
				assert_null(env.entries[0].value);
		}
		env_request_done(&env);
	}
}

static void
test_secrets_are_in_no_message(void **state)
{
	static const char *const texts[] = { "hunter2",	   "=hunter2",	"my key=hunter2",
					     "hunter2!=",  "9=hunter2", "hunter2 hunter2",
					     "\nA=hunter2" };
	struct env_request env = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(env_request_add_secret(&env, texts[i], &err), -EINVAL);
		assert_null(strstr(err.message, "hunter2"));
		assert_non_null(strstr(err.message, "KEY=VALUE"));
	}
	assert_int_equal(env_request_add_secret(&env, "KEY=hunter2", &err), 0);
	assert_int_equal(env.entries[0].kind, ENV_ENTRY_SECRET);
	assert_string_equal(env.entries[0].value, "hunter2");
	assert_int_equal(env_request_add(&env, "my key=hunter2", &err), -EINVAL);
	assert_null(strstr(err.message, "hunter2"));
	env_request_done(&env);
}

static void
test_limits(void **state)
{
	_cleanup_free_ char *text = mem_zalloc(ENV_VALUE_MAX_BYTES + 1, 1);
	struct env_request env = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	memset(text, 'A', ENV_VALUE_MAX_BYTES);
	text[1] = '=';
	assert_int_equal(env_request_add(&env, text, &err), -E2BIG);
	assert_null(strstr(err.message, "AAA"));
	text[ENV_VALUE_MAX_BYTES - 1] = '\0';
	for (size_t i = 0; i < ENV_ENTRIES_MAX; i++)
		assert_int_equal(env_request_add(&env, i == 0 ? text : "A=1", &err), 0);
	assert_int_equal(env_request_add(&env, "A=1", &err), -E2BIG);
	assert_int_equal(env_request_add_secret(&env, "A=1", &err), -E2BIG);
	env_request_done(&env);
}

static void
build(const char *const *host, const char *const *requests, bool inherit,
      struct strv *ret_environment)
{
	struct env_request env = { .inherit = inherit };
	struct error err = ERROR_INIT;

	for (; requests != NULL && *requests != NULL; requests++)
		assert_int_equal(env_request_add(&env, *requests, &err), 0);
	env_build(&env, (char *const *)(uintptr_t)host, "rules", ret_environment);
	env_request_done(&env);
}

static void
test_a_built_environment(void **state)
{
	static const char *const host[] = { "PATH=/bin",
					    "HOME=/home/u",
					    "GITHUB_TOKEN=t",
					    "LC_ALL=C",
					    "broken",
					    "=odd",
					    "PATH=/second",
					    "EMPTY=",
					    "PORTA_SANDBOX=no",
					    "LD_PRELOAD=x",
					    "",
					    NULL };
	static const char *const requests[] = { "A=1",	 "HOME=/other", "GITHUB_TOKEN",	     "A=2",
						"EMPTY", "ABSENT",	"PORTBAY_SANDBOX=0", NULL };
	struct strv environment = STRV_INIT;

	(void)state;
	build(host, requests, false, &environment);
	assert_value(&environment, "PATH", "/bin");
	assert_value(&environment, "HOME", "/other");
	assert_value(&environment, "GITHUB_TOKEN", "t");
	assert_value(&environment, "LC_ALL", "C");
	assert_value(&environment, "A", "2");
	assert_value(&environment, "EMPTY", "");
	assert_value(&environment, "ABSENT", NULL);
	assert_value(&environment, "LD_PRELOAD", NULL);
	assert_value(&environment, "PORTA_SANDBOX", "1");
	assert_value(&environment, "PORTBAY_SANDBOX", "1");
	assert_value(&environment, "PORTA_SANDBOX_NETWORK", "rules");
	assert_value(&environment, "PORTBAY_SANDBOX_NETWORK", "rules");
	assert_int_equal(environment.count, 10);
	assert_null(environment.items[environment.count]);
	strv_done(&environment);
}

static void
test_an_inherited_environment(void **state)
{
	static const char *const host[] = { "PATH=/bin",
					    "TOKEN=t",
					    "LD_PRELOAD=x",
					    "broken",
					    "=odd",
					    "PATH=/second",
					    "BASH_FUNC_f%%=() { :; }",
					    NULL };
	static const char *const requests[] = { "TOKEN=other", NULL };
	struct strv environment = STRV_INIT;

	(void)state;
	build(host, requests, true, &environment);
	assert_value(&environment, "PATH", "/bin");
	assert_value(&environment, "TOKEN", "other");
	assert_value(&environment, "LD_PRELOAD", "x");
	assert_value(&environment, "BASH_FUNC_f%%", "() { :; }");
	assert_int_equal(environment.count, 8);
	strv_done(&environment);
}

/* `-e KEY` after `-e KEY=VALUE`, and the host has none: the last one of a name wins. */
static void
test_the_last_of_a_name_wins(void **state)
{
	static const char *const host[] = { "KEY=host", "B=b", NULL };
	static const char *const absent[] = { "A=1", "C=3", "A", NULL };
	static const char *const last[] = { "A=1", "A", NULL };
	static const char *const passed[] = { "KEY=mine", "KEY", NULL };
	static const char *const set[] = { "KEY", "KEY=mine", NULL };
	struct strv environment = STRV_INIT;

	(void)state;
	build(host, absent, false, &environment);
	assert_value(&environment, "A", NULL);
	assert_value(&environment, "C", "3");
	strv_done(&environment);
	build(host, last, false, &environment);
	assert_value(&environment, "A", NULL);
	strv_done(&environment);
	build(host, passed, false, &environment);
	assert_value(&environment, "KEY", "host");
	strv_done(&environment);
	build(host, set, false, &environment);
	assert_value(&environment, "KEY", "mine");
	strv_done(&environment);
}

static void
test_without_a_host(void **state)
{
	struct strv environment = STRV_INIT;

	(void)state;
	build(NULL, NULL, true, &environment);
	assert_int_equal(environment.count, 4);
	strv_done(&environment);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_passed_unasked),
		cmocka_unit_test(test_requests_as_text),
		cmocka_unit_test(test_secrets_are_in_no_message),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_a_built_environment),
		cmocka_unit_test(test_an_inherited_environment),
		cmocka_unit_test(test_the_last_of_a_name_wins),
		cmocka_unit_test(test_without_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
