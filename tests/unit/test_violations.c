/* broker/violations: counting, limits, the footer and the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/violations.h"
#include "util/fd.h"

#define TEXT_LIMIT_BYTES (16 << 20)

static char *
footer_of(const struct violations *violations)
{
	_cleanup_fd_ int fd = memfd_create("footer", MFD_CLOEXEC);
	char *text = NULL;

	violations_print(violations, fd);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_whole(fd, TEXT_LIMIT_BYTES, &text, NULL), 0);
	return text;
}

static char *
report_of(const struct violations *violations)
{
	_cleanup_fd_ int fd = memfd_create("report", MFD_CLOEXEC);
	char *text = NULL;

	assert_int_equal(violations_write_report(violations, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_whole(fd, TEXT_LIMIT_BYTES, &text, NULL), 0);
	return text;
}

static void
test_nothing_refused_prints_nothing(void **state)
{
	struct violations *violations = violations_new();
	_cleanup_free_ char *footer = footer_of(violations);
	_cleanup_free_ char *report = report_of(violations);

	(void)state;
	assert_string_equal(footer, "");
	assert_string_equal(report, "");
	violations_free(violations);
}

static void
test_footer_counts_and_aligns(void **state)
{
	struct violations *violations = violations_new();
	_cleanup_free_ char *footer = NULL;

	(void)state;
	violations_record(violations, VIOLATION_CONNECT, "telemetry.example.net:443",
			  "--allow-net telemetry.example.net:443", NULL);
	violations_record(violations, VIOLATION_CONNECT, "telemetry.example.net:443",
			  "--allow-net telemetry.example.net:443", NULL);
	violations_record(violations, VIOLATION_UNIX, "/run/docker.sock", "", "refused");
	violations_remark(violations, "once");
	violations_remark(violations, "once");
	footer = footer_of(violations);
	assert_string_equal(footer,
			    "porta: 3 requests were refused:\n"
			    "  connect    telemetry.example.net:443    2 \u00d7  allow it with: "
			    "--allow-net telemetry.example.net:443\n"
			    "  unix       /run/docker.sock             1 \u00d7  (refused)\n"
			    "porta: once\n");
	assert_int_equal(violations_count(violations), 2);
	violations_free(violations);
}

static void
test_control_bytes_are_made_visible(void **state)
{
	struct violations *violations = violations_new();
	_cleanup_free_ char *footer = NULL;
	_cleanup_free_ char *report = NULL;

	(void)state;
	violations_record(violations, VIOLATION_UNIX, "/tmp/\033[2Jx\n\"\xff", "", NULL);
	footer = footer_of(violations);
	report = report_of(violations);
	assert_non_null(strstr(footer, "1 request was refused"));
	assert_non_null(strstr(footer, "/tmp/\\x1b[2Jx\\x0a\"\\xff"));
	assert_non_null(strstr(report, "\"subject\":\"/tmp/\\u001b[2Jx\\u000a\\\"\\ufffd\""));
	violations_free(violations);
}

static void
test_report_is_json_lines(void **state)
{
	struct violations *violations = violations_new();
	_cleanup_free_ char *report = NULL;
	unsigned year;
	int end = 0;

	(void)state;
	violations_record(violations, VIOLATION_LISTEN, "0.0.0.0:8080", "--allow-bind '*:8080'",
			  "note");
	violations_remark(violations, "remark");
	report = report_of(violations);
	assert_int_equal(
	    sscanf(report, "{\"time\":\"%4u-%*2u-%*2uT%*2u:%*2u:%*2u.%*3uZ\",%n", &year, &end), 1);
	assert_true(year >= 2024 && end > 0);
	assert_non_null(strstr(report,
			       "\"kind\":\"listen\",\"subject\":\"0.0.0.0:8080\",\"count\":1,"
			       "\"allow\":\"--allow-bind '*:8080'\",\"note\":\"note\"}\n"
			       "{\"kind\":\"remark\",\"subject\":\"remark\"}\n"));
	violations_free(violations);
}

static void
test_limits_hold(void **state)
{
	struct violations *violations = violations_new();
	char subject[2 * VIOLATION_TEXT_MAX_BYTES];
	_cleanup_free_ char *footer = NULL;
	_cleanup_free_ char *report = NULL;

	(void)state;
	memset(subject, 'x', sizeof(subject));
	for (int i = 0; i < VIOLATIONS_MAX + 50; i++) {
		int n = snprintf(subject, sizeof(subject), "%d", i);

		subject[n] = 'x';
		subject[sizeof(subject) - 1] = '\0';
		violations_record(violations, VIOLATION_CONNECT, subject, "", NULL);
		violations_record(violations, VIOLATION_CONNECT, subject, "", NULL);
	}
	assert_int_equal(violations_count(violations), VIOLATIONS_MAX);
	footer = footer_of(violations);
	report = report_of(violations);
	assert_non_null(strstr(footer, "porta: 2100 requests were refused:\n"));
	assert_non_null(strstr(footer, "and 2060 more"));
	assert_true(strlen(footer) < 20000);
	assert_non_null(strstr(report, "\"kind\":\"more\",\"subject\":\"\",\"count\":100,"));
	violations_free(violations);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_refused_prints_nothing),
		cmocka_unit_test(test_footer_counts_and_aligns),
		cmocka_unit_test(test_control_bytes_are_made_visible),
		cmocka_unit_test(test_report_is_json_lines),
		cmocka_unit_test(test_limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
