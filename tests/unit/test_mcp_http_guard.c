/* Who may ask over HTTP: Host, Origin, token, Accept, Content-Type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcp/http_guard.h"

static struct strv none = STRV_INIT;

static void
test_host_of_loopback(void **state)
{
	static const char *const good[] = { "localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080" };
	static const char *const bad[] = { "", "example.com", "localhost.", "localhost.example.com", "127.0.0.1.example.com",
					   "127.0.0.1x", "0177.0.0.1", "2130706433", "::1", "[::1", "[::1]x", "[::2]",
					   "localhost:80:80", "localhost:x", "user@localhost", "localhost/", ":80",
					   "128.0.0.1", "0.0.0.0" };

	(void)state;
	assert_false(http_guard_host(NULL, true, &none));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(http_guard_host(good[i], true, &none));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(http_guard_host(bad[i], true, &none));
}

static void
test_host_elsewhere(void **state)
{
	struct strv hosts = STRV_INIT;

	(void)state;
	assert_true(http_guard_host("any.example.com:80", false, &none));
	strv_add(&hosts, "mcp.example.com");
	assert_true(http_guard_host("MCP.example.com:443", false, &hosts));
	assert_false(http_guard_host("other.example.com", false, &hosts));
	assert_false(http_guard_host("a.mcp.example.com", false, &hosts));
	strv_done(&hosts);
}

static void
test_origin(void **state)
{
	static const char *const bad[] = { "", "null", "http://", "http://example.com", "https://localhost.example.com",
					   "http://localhost@example.com", "file://localhost", "http//localhost",
					   "javascript:localhost", "http://localhost:80/x" };
	struct strv origins = STRV_INIT;

	(void)state;
	assert_true(http_guard_origin(NULL, "localhost", true, &none));
	assert_true(http_guard_origin("http://localhost:3000", "localhost", true, &none));
	assert_true(http_guard_origin("HTTPS://[::1]", "localhost", true, &none));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(http_guard_origin(bad[i], "localhost", true, &none));
	/* Elsewhere, where it came from. */
	assert_true(http_guard_origin("https://a.example.com", "a.example.com", false, &none));
	assert_false(http_guard_origin("https://a.example.com", "b.example.com", false, &none));
	assert_false(http_guard_origin("http://localhost", "b.example.com", false, &none));
	strv_add(&origins, "https://app.example.com");
	assert_true(http_guard_origin("https://app.example.com", "x", true, &origins));
	assert_false(http_guard_origin("https://app.example.com:444", "x", true, &origins));
	strv_done(&origins);
}

static void
test_token(void **state)
{
	(void)state;
	assert_true(http_guard_token("Bearer abc", "abc"));
	assert_true(http_guard_token("bearer  abc", "abc"));
	assert_false(http_guard_token(NULL, "abc"));
	assert_false(http_guard_token("Bearer", "abc"));
	assert_false(http_guard_token("Bearer ", "abc"));
	assert_false(http_guard_token("Bearer abcd", "abc"));
	assert_false(http_guard_token("Bearer abd", "abc"));
	assert_false(http_guard_token("Basic abc", "abc"));
	assert_false(http_guard_token("abc", "abc"));
}

static void
test_types(void **state)
{
	(void)state;
	assert_true(http_guard_accepts(NULL));
	assert_true(http_guard_accepts("*/*"));
	assert_true(http_guard_accepts("application/json, text/event-stream"));
	assert_true(http_guard_accepts("text/event-stream;q=0.5,application/*;q=0.9"));
	assert_false(http_guard_accepts("application/json"));
	assert_false(http_guard_accepts("text/event-stream"));
	assert_false(http_guard_accepts("application/json, text/event-stream;q=0"));
	assert_false(http_guard_accepts(""));
	assert_true(http_guard_is_json("application/json"));
	assert_true(http_guard_is_json("Application/JSON; charset=utf-8"));
	assert_false(http_guard_is_json("application/json-rpc"));
	assert_false(http_guard_is_json("text/plain"));
	assert_false(http_guard_is_json(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_of_loopback), cmocka_unit_test(test_host_elsewhere),
		cmocka_unit_test(test_origin),		 cmocka_unit_test(test_token),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
