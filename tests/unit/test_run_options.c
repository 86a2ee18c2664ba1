/* cli/run_options: what command lines become, which are refused, and what becomes of their secrets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_options.h"
#include "cli/secrets_wipe.h"
#include "util/mem.h"

#define ARGUMENTS_MAX 16

struct line_case {
	const char *line; /* arguments with a blank between them; "_" stands for an empty one */
	const char *want; /* describe(), or a part of the message */
};

/* A line as a writable argv, whose strings lie in one piece as the kernel lays them. */
struct arguments {
	char *text;
	char *argv[ARGUMENTS_MAX + 1];
	int argc;
};

static void
split(const char *line, struct arguments *ret_arguments)
{
	char *rest;

	ret_arguments->text = mem_strdup(line);
	ret_arguments->argc = 0;
	rest = ret_arguments->text;
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		assert_true(ret_arguments->argc < ARGUMENTS_MAX);
		if (strcmp(word, "_") == 0)
			*word = '\0';
		ret_arguments->argv[ret_arguments->argc++] = word;
	}
	ret_arguments->argv[ret_arguments->argc] = NULL;
}

static void
describe_rules(const struct net_rules *rules, const char *name, struct strbuf *out)
{
	for (size_t i = 0; i < rules->count; i++)
		strbuf_printf(out, " %s=%s", name, rules->items[i].text);
}

static void
describe_paths(const struct strv *paths, const char *name, struct strbuf *out)
{
	for (size_t i = 0; i < paths->count; i++)
		strbuf_printf(out, " %s=%s", name, paths->items[i]);
}

static void
describe_files(const struct policy *policy, struct strbuf *out)
{
	for (size_t i = 0; i < policy->mounts_count; i++)
		strbuf_printf(out, " %s=%s", policy->mounts[i].read_only ? "ro" : "rw",
			      policy->mounts[i].host);
	if (policy->read_mode != READ_MODE_OPEN)
		strbuf_printf(out, " read=%s", read_mode_name(policy->read_mode));
	describe_paths(&policy->deny_read, "deny-read", out);
	if (policy->deny_read_credentials)
		strbuf_puts(out, " deny-credentials");
	if (policy->allow_protected_all)
		strbuf_puts(out, " protected=all");
	describe_paths(&policy->allow_protected, "protected", out);
}

static void
describe_rest(const struct policy *policy, struct strbuf *out)
{
	static const char kinds[] = {
		[ENV_ENTRY_SET] = '=', [ENV_ENTRY_PASS] = '<', [ENV_ENTRY_SECRET] = '!'
	};

	for (size_t i = 0; i < policy->env.count; i++) {
		const struct env_entry *entry = &policy->env.entries[i];

		strbuf_printf(out, " %s%c%s", entry->key, kinds[entry->kind],
			      entry->value != NULL ? entry->value : "");
	}
	if (policy->env.inherit)
		strbuf_puts(out, " inherit");
	describe_paths(&policy->allow_exec, "exec", out);
	if (policy->allow_userns)
		strbuf_puts(out, " userns");
	if (policy->limits.timeout_ms != 0)
		strbuf_printf(out, " timeout=%llums",
			      (unsigned long long)policy->limits.timeout_ms);
	for (int i = 0; i < LIMIT_KIND_COUNT; i++) {
		if (policy->limits.is_set[i])
			strbuf_printf(out, " %s=%llu", limit_name((enum limit_kind)i),
				      (unsigned long long)policy->limits.value[i]);
	}
	if (policy->capabilities_flag != NULL)
		strbuf_printf(out, " %s=%x", policy->capabilities_flag, policy->capabilities);
	if (policy->limits.step_limit != 0)
		strbuf_printf(out, " steps=%llu", (unsigned long long)policy->limits.step_limit);
	if (policy->limits.max_memory_pages != 0)
		strbuf_printf(out, " pages=%llu",
			      (unsigned long long)policy->limits.max_memory_pages);
	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		if (policy->degrade[i])
			strbuf_printf(out, " -%s", guarantee_name((enum guarantee)i));
	}
}

/* Everything that differs from "nothing was asked for". */
static char *
describe(const struct run_options *options)
{
	const struct policy *policy = &options->policy;
	struct strbuf out = STRBUF_INIT;

	if (options->help)
		return mem_strdup("help");
	strbuf_puts(&out, options->target);
	for (size_t i = 0; i < options->arguments_count; i++)
		strbuf_printf(&out, ",%s", options->arguments[i]);
	assert_null(options->arguments[options->arguments_count]);
	describe_files(policy, &out);
	if (policy->net_mode != NET_MODE_FULL)
		strbuf_printf(&out, " net=%s", net_mode_name(policy->net_mode));
	describe_rules(&policy->allow_net, "allow", &out);
	describe_rules(&policy->deny_net, "deny", &out);
	describe_rules(&policy->allow_bind, "bind", &out);
	if (policy->allow_private)
		strbuf_puts(&out, " private");
	describe_paths(&policy->allow_unix, "unix", &out);
	describe_rest(policy, &out);
	if (options->broker.report_path != NULL)
		strbuf_printf(&out, " report=%s", options->broker.report_path);
	if (options->broker.quiet)
		strbuf_puts(&out, " quiet");
	if (options->json)
		strbuf_puts(&out, " json");
	return strbuf_take(&out);
}

static const struct line_case good_lines[] = {
	/* targets and their arguments */
	{ "run ls", "ls" },
	{ "run ls --", "ls" },
	{ "run ls -- -l", "ls,-l" },
	{ "run ls -- -l -- x", "ls,-l,--,x" },
	{ "run ls -- --net blocked -v . --help", "ls,--net,blocked,-v,.,--help" },
	{ "run ls -- _", "ls," },
	{ "run -- ls -l", "ls,-l" },
	{ "run -- --odd", "--odd" },
	{ "run -v . -- ls -v", "ls,-v rw=." },
	{ "run -", "-" },
	{ "run _", "" },
	{ "run ./a.sh", "./a.sh" },
	{ "explain ls", "ls" },
	{ "explain ls --json", "ls json" },
	/* files */
	{ "run ls -v .", "ls rw=." },
	{ "run -v . ls", "ls rw=." },
	{ "run -v. ls", "ls rw=." },
	{ "run -v=. ls", "ls rw=." },
	{ "run --volume . ls", "ls rw=." },
	{ "run --volume=. ls", "ls rw=." },
	{ "run ls -v . -v ./data:ro", "ls rw=. ro=./data" },
	{ "run ls -v /a=b", "ls rw=/a=b" },
	{ "run ls --volume=-odd", "ls rw=-odd" },
	{ "run ls --volume==odd", "ls rw==odd" },
	{ "run ls --read listed", "ls read=listed" },
	{ "run ls --read=home-hidden", "ls read=home-hidden" },
	{ "run ls --read open", "ls" },
	{ "run ls --deny-read /srv --deny-read=./x", "ls deny-read=/srv deny-read=./x" },
	{ "run ls --deny-read credentials", "ls deny-credentials" },
	{ "run ls --allow-protected", "ls protected=all" },
	{ "run --allow-protected ls", "ls protected=all" },
	{ "run ls --allow-protected=.git/config", "ls protected=.git/config" },
	{ "run ls --allow-protected=.git/config --allow-protected=.envrc",
	  "ls protected=.git/config protected=.envrc" },
	/* network */
	{ "run ls --net full", "ls" },
	{ "run ls --net outbound", "ls net=outbound" },
	{ "run ls --net=loopback_only", "ls net=loopback_only" },
	{ "run ls --net loopback-only", "ls net=loopback_only" },
	{ "run ls --net loopback", "ls net=loopback_only" },
	{ "run ls --net none", "ls net=blocked" },
	{ "run ls --allow-net *:443", "ls net=rules allow=*:443" },
	{ "run ls --allow-net=*.example.com:443 --allow-net 10.0.0.0/8:*",
	  "ls net=rules allow=*.example.com:443 allow=10.0.0.0/8:*" },
	{ "run ls --allow-net [::1]:8080", "ls net=rules allow=[::1]:8080" },
	{ "run ls --allow-net *:443 --deny-net 192.0.2.1:443",
	  "ls net=rules allow=*:443 deny=192.0.2.1:443" },
	{ "run ls --allow-net example.com:80-90 --allow-private",
	  "ls net=rules allow=example.com:80-90 private" },
	{ "run ls --allow-net *:443 --allow-bind *:8080", "ls net=rules allow=*:443 bind=*:8080" },
	{ "run ls --allow-unix /run/docker.sock", "ls unix=/run/docker.sock" },
	/* environment */
	{ "run ls -e A=b", "ls A=b" },
	{ "run ls -eA=b", "ls A=b" },
	{ "run ls -e=A=b", "ls A=b" },
	{ "run ls --env A=b=c", "ls A=b=c" },
	{ "run ls --env=A=b", "ls A=b" },
	{ "run ls -e A=", "ls A=" },
	{ "run ls -e A", "ls A<" },
	{ "run ls -e A=1 -e A=2", "ls A=1 A=2" },
	{ "run ls --secret KEY=hunter2", "ls KEY!hunter2" },
	{ "run ls --secret=KEY=hunter2", "ls KEY!hunter2" },
	{ "run ls -e A=1 --secret B=2 -e C", "ls A=1 B!2 C<" },
	{ "run ls --env-file /dev/null", "ls" },
	{ "run ls --inherit-env", "ls inherit" },
	/* processes and limits */
	{ "run ls --allow-exec node,npm", "ls exec=node exec=npm" },
	{ "run ls --allow-exec node --allow-exec npm", "ls exec=node exec=npm" },
	{ "run ls --allow-userns", "ls userns" },
	{ "run ls --timeout 5", "ls timeout=5000ms" },
	{ "run ls --timeout=1.5s", "ls timeout=1500ms" },
	{ "run ls --timeout 500ms", "ls timeout=500ms" },
	{ "run ls --timeout 2m", "ls timeout=120000ms" },
	{ "run ls --limit nofile=64", "ls nofile=64" },
	{ "run ls --limit memory=1M --limit=pids=9", "ls memory=1048576 pids=9" },
	{ "run ls --degrade=tree", "ls -tree" },
	{ "run ls --degrade=metadata,tree", "ls -metadata -tree" },
	{ "run ls --degrade=tree --degrade=exec", "ls -tree -exec" },
	/* reporting */
	{ "run ls --report out.jsonl", "ls report=out.jsonl" },
	{ "run ls --report=-out", "ls report=-out" },
	{ "run a.wasm --profile ai-agent", "a.wasm --profile=9" },
	{ "run a.wasm --cap=fs,net", "a.wasm --cap=82" },
	{ "run a.wasm --step-limit 1000000 --max-memory=256", "a.wasm steps=1000000 pages=256" },
	{ "run ls --report -", "ls report=-" },
	{ "run ls --quiet", "ls quiet" },
	{ "run ls --quiet --quiet", "ls quiet" },
	{ "run --help", "help" },
	{ "run -h", "help" },
	{ "run ls -h --bogus", "help" },
	{ "run -v . --help --net", "help" },
	{ "explain --help", "help" },
};

static const struct line_case bad_lines[] = {
	/* no target, or more than one */
	{ "run", "no command is given (right form: porta run <target>" },
	{ "run --", "no command is given" },
	{ "run -v .", "no command is given" },
	{ "run -v . --", "no command is given" },
	{ "explain", "right form: porta explain <target>" },
	{ "run node -v . server.js", "'server.js': the command's own arguments come behind --, as "
				     "in: porta run node -v . -- server.js" },
	{ "run node server.js -v .", "as in: porta run node -v . -- server.js" },
	{ "run node server.js -- x", "as in: porta run node -- server.js x" },
	{ "run node server.js --secret A=hunter2", "porta run node --secret A=... -- server.js" },
	{ "run node server.js --secret=A=hunter2", "porta run node --secret=A=... -- server.js" },
	{ "run node server.js -eA=hunter2", "porta run node -eA=... -- server.js" },
	{ "run --degrade tree ls", "takes its value only behind '=' (right form: --degrade=tree)" },
	{ "run ls --degrade tree", "(right form: --degrade=tree)" },
	{ "run ls --degrade metadata,tree", "(right form: --degrade=metadata,tree)" },
	{ "run --degrade node x.js", "as in: porta run --degrade node -- x.js" },
	{ "run ls --allow-protected .git/config", "(right form: --allow-protected=.git/config)" },
	/* unknown flags */
	{ "run --bogus ls", "unknown flag '--bogus' ('porta help run' lists them)" },
	{ "run --alow-net x:1 ls", "unknown flag '--alow-net' (did you mean --allow-net?)" },
	{ "run --nett=full ls", "unknown flag '--nett' (did you mean --net?)" },
	{ "run --volum . ls", "(did you mean --volume?)" },
	{ "run bash -c x",
	  "unknown flag '-c' ('porta help run' lists them); if it is the command's "
	  "own, put -- before it: porta run bash -- -c x" },
	{ "run ls --port 1", "put -- before it: porta run ls -- --port 1" },
	{ "run ls --json", "unknown flag '--json'" },
	{ "run ls -hx", "unknown flag '-hx'" },
	{ "run ls -V .", "unknown flag '-V'" },
	{ "run --allow- ls", "unknown flag '--allow-'" },
	{ "run --restart always ls", "unknown flag '--restart'" },
	{ "run -d ls", "unknown flag '-d'" },
	{ "run --detach ls", "unknown flag '--detach'" },
	/* values that are missing, too many or not wanted */
	{ "run ls -v", "-v needs a value (right form: -v PATH[:ro], for example -v .)" },
	{ "run ls --volume", "--volume needs a value" },
	{ "run ls -v --net full", "-v needs a value, and '--net' looks like a flag" },
	{ "run ls -v --", "-v needs a value" },
	{ "run --net -- ls", "--net needs a value (right form: --net POLICY" },
	{ "run ls --timeout -5", "--timeout needs a value, and '-5' looks like a flag" },
	{ "run ls --allow-net", "for example --allow-net 'api.example.com:443')" },
	{ "run ls --allow-net --quiet", "a value that begins with a dash: --allow-net=VALUE" },
	{ "run ls -e", "-e needs a value (right form: -e KEY[=VALUE]" },
	{ "run ls --secret", "--secret needs a value (right form: --secret KEY=VALUE" },
	{ "run ls --secret -eA=hunter2", "--secret needs a value, and '-eA' looks like" },
	{ "run ls --quiet=yes", "--quiet takes no value (right form: --quiet)" },
	{ "run ls --allow-private=", "--allow-private takes no value" },
	{ "run ls --help=x", "--help takes no value" },
	{ "run ls --net full --net full", "--net is given twice" },
	{ "run ls --timeout 5 --timeout=6", "--timeout is given twice" },
	{ "run ls --report a --report b", "--report is given twice" },
	{ "run ls --read open --read listed", "--read is given twice" },
	/* values that mean nothing; their messages are policy's */
	{ "run ls -v _", "--volume '': " },
	{ "run ls -v :ro", "--volume ':ro': " },
	{ "run ls --read=some", "--read 'some': " },
	{ "run ls --deny-read _", "--deny-read '': " },
	{ "run ls --allow-protected=", "--allow-protected '': " },
	{ "run ls --allow-protected=README", "--allow-protected 'README': " },
	{ "run ls --net=", "--net '': " },
	{ "run ls --net rules", "--net 'rules': " },
	{ "run ls --profile", "--profile needs a value (right form: --profile NAME" },
	{ "run ls --profile full --profile full", "--profile is given twice" },
	{ "run ls --profile=", "--profile '': " },
	{ "run ls --profile worker --cap io", "--cap 'io': --profile and --cap exclude" },
	{ "run ls --cap io --profile worker", "--profile 'worker': --profile and --cap exclude" },
	{ "run ls --cap io,,fs", "--cap 'io,,fs': \"\" is not a capability" },
	{ "run ls --step-limit=1e6", "--step-limit '1e6': " },
	{ "run ls --step-limit=-1", "--step-limit '-1': " },
	{ "run ls --max-memory=65537", "--max-memory '65537': " },
	{ "run ls --max-memory=1M", "--max-memory '1M': " },
	{ "run a.wasm --max-output=x", "--max-output 'x': " },
	{ "run ls --allow-net foo", "--allow-net 'foo': " },
	{ "run ls --allow-net foo:0", "--allow-net 'foo:0': " },
	{ "run ls --allow-net foo:65536", "--allow-net 'foo:65536': " },
	{ "run ls --deny-net :", "--deny-net ':': " },
	{ "run ls --allow-bind 8080", "--allow-bind '8080': " },
	{ "run ls --allow-unix _", "--allow-unix '': " },
	{ "run ls --env-file /nowhere/at/all", "--env-file '/nowhere/at/all': " },
	{ "run ls --env-file /", "--env-file '/': " },
	{ "run ls --allow-exec a,,b", "--allow-exec 'a,,b': " },
	{ "run ls --timeout 0", "--timeout '0': " },
	{ "run ls --timeout soon", "--timeout 'soon': not a time" },
	{ "run ls --timeout 400d", "--timeout '400d': " },
	{ "run ls --limit memory", "--limit 'memory': " },
	{ "run ls --limit disk=5", "--limit 'disk=5': " },
	{ "run ls --degrade=most", "--degrade 'most': " },
	{ "run ls --degrade=", "--degrade '': " },
	{ "run ls --report _", "--report '': " },
	{ "run ls --net blocked --allow-net *:443", "--allow-net" },
};

/* Messages in which "hunter2" must not be. */
static const char *const secret_lines[] = {
	"run ls --secret hunter2",
	"run ls --secret=hunter2",
	"run ls --secret 9=hunter2",
	"run ls --secret =hunter2",
	"run ls -e =hunter2",
	"run ls -e 9A=hunter2",
	"run ls x --secret hunter2",
	"run ls x --secret=hunter2",
	"run ls x --secret A=hunter2",
	"run ls x -e=A=hunter2",
	"run ls x -eA=hunter2",
	"run ls --secrt A=hunter2",
	"run ls --secrets=A=hunter2",
	"run ls --bogus --secret A=hunter2",
	"run ls --env --secret=A=hunter2",
	"run ls --net x --secret A=hunter2",
	"run ls --envv A=hunter2",
	"run ls --secret A=hunter2 --allow-net x",
};

static void
test_good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_lines); i++) {
		struct run_options options;
		struct arguments arguments;
		struct error err = ERROR_INIT;
		_cleanup_free_ char *got = NULL;

		split(good_lines[i].line, &arguments);
		run_options_init(&options, arguments.argv[0]);
		if (run_options_parse(&options, arguments.argc, arguments.argv, &err) < 0)
			fail_msg("%s: %s", good_lines[i].line, err.message);
		got = describe(&options);
		if (!str_equal(got, good_lines[i].want))
			fail_msg("%s: is \"%s\" instead of \"%s\"", good_lines[i].line, got,
				 good_lines[i].want);
		run_options_done(&options);
		free(arguments.text);
	}
}

static void
message_of(const char *line, struct error *ret_err)
{
	struct run_options options;
	struct arguments arguments;

	*ret_err = (struct error)ERROR_INIT;
	split(line, &arguments);
	run_options_init(&options, arguments.argv[0]);
	if (run_options_parse(&options, arguments.argc, arguments.argv, ret_err) == 0)
		fail_msg("%s: is accepted", line);
	run_options_done(&options);
	free(arguments.text);
}

static void
test_bad_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++) {
		struct error err;

		message_of(bad_lines[i].line, &err);
		if (strstr(err.message, bad_lines[i].want) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", bad_lines[i].line, err.message,
				 bad_lines[i].want);
	}
}

static void
test_messages_hold_no_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(secret_lines); i++) {
		struct error err;

		message_of(secret_lines[i], &err);
		if (strstr(err.message, "hunter2") != NULL)
			fail_msg("%s: %s", secret_lines[i], err.message);
	}
}

/* What `ps` would show afterwards, and that argv still holds the values. */
static void
test_secrets_are_wiped(void **state)
{
	static const struct line_case cases[] = {
		{ "porta run ls --secret A=b", "porta run ls --secret A=*" },
		{ "porta run ls --secret=A=b", "porta run ls --secret=A=*" },
		{ "porta run ls -e A=bc", "porta run ls -e A=**" },
		{ "porta run ls -eA=bc", "porta run ls -eA=**" },
		{ "porta run ls -e=A=bc", "porta run ls -e=A=**" },
		{ "porta run ls --env A=bc=d", "porta run ls --env A=****" },
		{ "porta run ls --secret abc", "porta run ls --secret ***" },
		{ "porta run ls --secret", "porta run ls --secret" },
		{ "porta run ls -e --secret A=b", "porta run ls -e --secret A=*" },
		{ "porta run ls --secret -- A=b", "porta run ls --secret -- A=b" },
		{ "porta run ls -- --secret A=b", "porta run ls -- --secret A=b" },
		{ "porta run ls --secrets A=b", "porta run ls --secrets A=b" },
		{ "porta --secret A=b", "porta --secret A=*" },
		{ "porta", "porta" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t length = strlen(cases[i].line);
		struct arguments arguments;
		struct strbuf line = STRBUF_INIT;

		split(cases[i].line, &arguments);
		secrets_wipe(arguments.argc, arguments.argv);
		for (int k = 0; k < arguments.argc; k++) {
			char *argument = arguments.argv[k];

			strbuf_printf(&line, "%s%s", k > 0 ? " " : "", argument);
			if (argument < arguments.text || argument > arguments.text + length)
				free(argument);
		}
		assert_string_equal(line.text, cases[i].line);
		for (size_t k = 0; k < length; k++) {
			if (arguments.text[k] == '\0')
				arguments.text[k] = ' ';
		}
		assert_string_equal(arguments.text, cases[i].want);
		strbuf_done(&line);
		free(arguments.text);
	}
}

static void
test_long_arguments_are_cut(void **state)
{
	_cleanup_free_ char *name = mem_zalloc(1, 1024 * 1024);
	_cleanup_free_ char *line = NULL;
	struct error err;

	(void)state;
	memset(name, 'x', 1024 * 1024 - 1);
	line = mem_printf("run ls --%s", name);
	message_of(line, &err);
	assert_non_null(strstr(err.message, "unknown flag '--xxx"));
	assert_null(strstr(err.message, "did you mean"));
	assert_true(strlen(err.message) < ERROR_MESSAGE_BYTES - 1);
	free(line);
	line = mem_printf("run ls %s --quiet", name);
	message_of(line, &err);
	assert_true(strlen(err.message) < ERROR_MESSAGE_BYTES - 1);
}

static void
test_table_is_whole(void **state)
{
	struct strbuf help = STRBUF_INIT;

	(void)state;
	run_options_write_help("explain", &help);
	run_options_write_help("serve", &help);
	for (size_t i = 0; i < run_options_count; i++) {
		const struct run_option *option = &run_options_table[i];
		const char *value;

		assert_ptr_equal(run_option_find(option->name, &value), option);
		assert_null(value);
		assert_true(str_starts_with(option->name, "--"));
		assert_non_null(option->apply);
		assert_non_null(strstr(help.text, option->name));
		assert_int_equal(option->form != RUN_OPTION_BARE, option->value != NULL);
		assert_int_equal(option->value != NULL, option->example != NULL);
		if (option->completion == RUN_OPTION_COMPLETE_WORDS ||
		    option->form == RUN_OPTION_OPTIONAL)
			assert_non_null(option->word);
		if (option->short_name != NULL)
			assert_ptr_equal(run_option_find(option->short_name, &value), option);
	}
	for (const char *line = help.text; line != NULL; line = strchr(line + 1, '\n'))
		assert_true(strcspn(line + 1, "\n") <= 80);
	strbuf_done(&help);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_lines),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_messages_hold_no_secret),
		cmocka_unit_test(test_secrets_are_wiped),
		cmocka_unit_test(test_long_arguments_are_cut),
		cmocka_unit_test(test_table_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
