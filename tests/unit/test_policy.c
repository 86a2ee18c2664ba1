/* policy: flags, what they mean together, the tables of names, and how a policy is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "policy/policy.h"
#include "util/macros.h"
#include "util/mem.h"

static void
test_mounts(void **state)
{
	static const struct {
		const char *text;
		const char *host;
		const char *guest; /* NULL: as HOST */
		bool read_only;
	} cases[] = {
		{ ".", ".", NULL, false },
		{ "./", "./", NULL, false },
		{ "..", "..", NULL, false },
		{ "/", "/", NULL, false },
		{ "~", "~", NULL, false },
		{ "~/.claude", "~/.claude", NULL, false },
		{ "./data:ro", "./data", NULL, true },
		{ "./data:rw", "./data", NULL, false },
		{ "/:ro", "/", NULL, true },
		{ "ro", "ro", NULL, false },
		{ "rw", "rw", NULL, false },
		{ "ro:ro", "ro", NULL, true },
		{ "./data:/data", "./data", "/data", false },
		{ "./data:/data:ro", "./data", "/data", true },
		{ "./data:/data:rw", "./data", "/data", false },
		{ "./data:/", "./data", "/", false },
		{ "./data:/:ro", "./data", "/", true },
		{ "/a:/ro", "/a", "/ro", false },
		{ "/a:/b:/c", "/a:/b", "/c", false },
		{ "/a b", "/a b", NULL, false },
		{ "-v", "-v", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_mount *mount;
		struct error err = ERROR_INIT;
		struct policy policy;

		policy_init(&policy);
		if (policy_add_mount(&policy, cases[i].text, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.message);
		mount = &policy.mounts[0];
		if (strcmp(mount->host, cases[i].host) != 0 ||
		    mount->read_only != cases[i].read_only ||
		    (mount->guest == NULL) != (cases[i].guest == NULL) ||
		    (mount->guest != NULL && strcmp(mount->guest, cases[i].guest) != 0))
			fail_msg("%s: %s at %s, %d", cases[i].text, mount->host,
				 mount->guest ? mount->guest : "-", mount->read_only);
		assert_string_equal(mount->text, cases[i].text);
		policy_done(&policy);
		assert_int_equal(policy.mounts_count, 0);
	}
}

static void
test_mounts_that_are_refused(void **state)
{
	static const char *const texts[] = { "",	   ":ro",	":rw",	 ":",
					     ":/data",	   ":/data:ro", "a:",	 "a:ro:ro",
					     "a:rw:ro",	   "a:RO",	"a:z",	 "a:b",
					     "a:b:ro",	   "a::ro",	"a:/b:", "a:/b:x",
					     "a:data:/x:y" };
	_cleanup_free_ char *huge = mem_zalloc(PATH_MAX + 1, 1);
	struct error err = ERROR_INIT;
	struct policy policy;

	(void)state;
	policy_init(&policy);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		err.message[0] = '\0';
		if (policy_add_mount(&policy, texts[i], &err) != -EINVAL ||
		    strstr(err.message, "HOST[:GUEST][:ro]") == NULL)
			fail_msg("\"%s\": %s", texts[i], err.message);
	}
	assert_int_equal(policy.mounts_count, 0);
	memset(huge, 'a', PATH_MAX);
	assert_int_equal(policy_add_mount(&policy, huge, &err), -EINVAL);
	for (size_t i = 0; i < POLICY_MOUNTS_MAX; i++)
		assert_int_equal(policy_add_mount(&policy, ".", &err), 0);
	assert_int_equal(policy_add_mount(&policy, ".", &err), -E2BIG);
	policy_done(&policy);
}

/* The flags of one policy, as they are written; the first word of each is the flag. */
static int
add_flag(struct policy *policy, const char *flag, const char *value, struct error *err)
{
	static const struct {
		const char *flag;
		int (*add)(struct policy *policy, const char *text, struct error *err);
	} flags[] = {
		{ "-v", policy_add_mount },
		{ "--net", policy_set_net },
		{ "--read", policy_set_read },
		{ "--deny-read", policy_add_deny_read },
		{ "--allow-protected", policy_add_allow_protected },
		{ "--allow-exec", policy_add_allow_exec },
		{ "--allow-unix", policy_add_allow_unix },
		{ "--limit", policy_add_limit },
		{ "--degrade", policy_add_degrade },
	};

	if (str_equal(flag, "--allow-private")) {
		policy->allow_private = true;
		return 0;
	}
	if (str_equal(flag, "--allow-net"))
		return net_rules_add(&policy->allow_net, value, err);
	if (str_equal(flag, "--deny-net"))
		return net_rules_add(&policy->deny_net, value, err);
	if (str_equal(flag, "--allow-bind"))
		return net_rules_add(&policy->allow_bind, value, err);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (str_equal(flag, flags[i].flag))
			return flags[i].add(policy, value, err);
	}
	fail_msg("no flag %s", flag);
	return -EINVAL;
}

/* "--net full -v ." and so on, blanks between the words. */
static int
add_flags(struct policy *policy, const char *line, struct error *err)
{
	_cleanup_free_ char *copy = mem_strdup(line);
	char *rest = copy;
	char *flag;

	while (rest != NULL && *rest != '\0') {
		const char *value = NULL;
		int r;

		flag = strsep(&rest, " ");
		if (!str_equal(flag, "--allow-private"))
			value = strsep(&rest, " ");
		r = add_flag(policy, flag, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void
test_single_flags(void **state)
{
	static const struct {
		const char *line;
		int result;
		const char *shows;
	} cases[] = {
		{ "--net full", 0, NULL },
		{ "--net outbound", 0, NULL },
		{ "--net loopback_only", 0, NULL },
		{ "--net loopback-only", 0, NULL },
		{ "--net loopback", 0, NULL },
		{ "--net blocked", 0, NULL },
		{ "--net none", 0, NULL },
		{ "--net none --net blocked", 0, NULL },
		{ "--net full --net blocked", -EINVAL, "exclude each other" },
		{ "--net rules", -EINVAL, "--allow-net" },
		{ "--net Full", -EINVAL, "loopback_only" },
		{ "--net ", -EINVAL, "loopback_only" },
		{ "--net *:443", -EINVAL, "--allow-net" },
		{ "--read open", 0, NULL },
		{ "--read home-hidden", 0, NULL },
		{ "--read listed", 0, NULL },
		{ "--read home_hidden", -EINVAL, "home-hidden" },
		{ "--read none", -EINVAL, "listed" },
		{ "--deny-read /a", 0, NULL },
		{ "--deny-read ~/a", 0, NULL },
		{ "--deny-read credentials", 0, NULL },
		{ "--deny-read ", -EINVAL, "empty" },
		{ "--allow-unix /run/x.sock", 0, NULL },
		{ "--allow-unix ", -EINVAL, "empty" },
		{ "--allow-protected .git/config", 0, NULL },
		{ "--allow-protected .git/hooks/pre-commit", 0, NULL },
		{ "--allow-protected .git/modules/a/config", 0, NULL },
		{ "--allow-protected .claude/", 0, NULL },
		{ "--allow-protected ./.claude", 0, NULL },
		{ "--allow-protected .claude/settings.json", 0, NULL },
		{ "--allow-protected porta.toml", 0, NULL },
		{ "--allow-protected .ssh", -EINVAL, "no flag" },
		{ "--allow-protected .gnupg/x", -EINVAL, "no flag" },
		{ "--allow-protected .git", -EINVAL, ".git/" },
		{ "--allow-protected .git/configs", -EINVAL, "\".git/config\"" },
		{ "--allow-protected .clade", -EINVAL, "\".claude\"" },
		{ "--allow-protected src", -EINVAL, "porta explain" },
		{ "--allow-protected ", -EINVAL, "porta explain" },
		{ "--allow-protected /", -EINVAL, "porta explain" },
		{ "--allow-protected ..", -EINVAL, "porta explain" },
		{ "--allow-protected .claude/../src", -EINVAL, "porta explain" },
		{ "--allow-exec git", 0, NULL },
		{ "--allow-exec git,make,/usr/bin/cc", 0, NULL },
		{ "--allow-exec ", -EINVAL, "git,make" },
		{ "--allow-exec ,", -EINVAL, "git,make" },
		{ "--allow-exec git,", -EINVAL, "git,make" },
		{ "--allow-exec ,git", -EINVAL, "git,make" },
		{ "--allow-exec git,,make", -EINVAL, "git,make" },
		{ "--degrade all", 0, NULL },
		{ "--degrade network,limits", 0, NULL },
		{ "--degrade unix-sockets", 0, NULL },
		{ "--degrade ", -EINVAL, "unix-sockets" },
		{ "--degrade networks", -EINVAL, "metadata" },
		{ "--degrade network,", -EINVAL, "metadata" },
		{ "--degrade network,all", 0, NULL },
		{ "--limit cpu=30", 0, NULL },
		{ "--limit cpu=30s", 0, NULL },
		{ "--limit cpu=0", -ERANGE, "cpu=30s" },
		{ "--limit fsize=0", 0, NULL },
		{ "--limit fsize=1G", 0, NULL },
		{ "--limit nofile=1024", 0, NULL },
		{ "--limit nofile=2", -ERANGE, "nofile=1024" },
		{ "--limit nofile=1k", -EINVAL, "nofile=1024" },
		{ "--limit nproc=0", -ERANGE, "nproc=200" },
		{ "--limit core=0", 0, NULL },
		{ "--limit as=4G", 0, NULL },
		{ "--limit as=1", -ERANGE, "as=4G" },
		{ "--limit memory=512M", 0, NULL },
		{ "--limit memory=99999999999T", -ERANGE, "memory=512M" },
		{ "--limit memory=-1", -EINVAL, "memory=512M" },
		{ "--limit memory=", -EINVAL, "memory=512M" },
		{ "--limit memory", -EINVAL, "memory=512M" },
		{ "--limit pids=100", 0, NULL },
		{ "--limit cpus=1.5", 0, NULL },
		{ "--limit cpus=0.01", 0, NULL },
		{ "--limit cpus=0.001", -ERANGE, "cpus=1.5" },
		{ "--limit cpus=0", -ERANGE, "cpus=1.5" },
		{ "--limit cpus=1s", -EINVAL, "cpus=1.5" },
		{ "--limit cpus=.5", -EINVAL, "cpus=1.5" },
		{ "--limit cpus=1.2.3", -EINVAL, "cpus=1.5" },
		{ "--limit ", -EINVAL, "NAME=VALUE" },
		{ "--limit =1", -EINVAL, "NAME=VALUE" },
		{ "--limit mem=1", -EINVAL, "memory" },
		{ "--limit CPU=1", -EINVAL, "cpu" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct policy policy;
		int r;

		policy_init(&policy);
		r = add_flags(&policy, cases[i].line, &err);
		if (r != cases[i].result || (r < 0 && strstr(err.message, cases[i].shows) == NULL))
			fail_msg("%s: %d %s", cases[i].line, r, err.message);
		policy_done(&policy);
	}
}

static void
test_what_flags_set(void **state)
{
	struct error err = ERROR_INIT;
	struct policy policy;

	(void)state;
	policy_init(&policy);
	assert_int_equal(add_flags(&policy,
				   "--net none --read listed --deny-read credentials --deny-read "
				   "~/x --allow-exec git,make --allow-exec cc --degrade "
				   "writes,tree --limit cpu=1.5s --limit cpus=1.5 --limit "
				   "memory=1k --limit memory=64k",
				   &err),
			 -ERANGE);
	assert_int_equal(add_flags(&policy, "--limit memory=1M --limit memory=64k", &err), 0);
	assert_int_equal(policy.net_mode, NET_MODE_BLOCKED);
	assert_int_equal(policy.read_mode, READ_MODE_LISTED);
	assert_true(policy.deny_read_credentials);
	assert_int_equal(policy.deny_read.count, 1);
	assert_true(policy.allow_exec_set);
	assert_int_equal(policy.allow_exec.count, 3);
	assert_string_equal(policy.allow_exec.items[2], "cc");
	assert_true(policy.degrade[GUARANTEE_WRITES]);
	assert_true(policy.degrade[GUARANTEE_TREE]);
	assert_false(policy.degrade[GUARANTEE_NETWORK]);
	assert_int_equal(policy.limits.value[LIMIT_CPU_SECONDS], 2);
	assert_int_equal(policy.limits.value[LIMIT_CPU_MILLI], 1500);
	assert_int_equal(policy.limits.value[LIMIT_MEMORY_BYTES], 65536);
	assert_false(policy.limits.is_set[LIMIT_TASKS]);
	assert_int_equal(add_flag(&policy, "--allow-exec", " a , b ", &err), 0);
	assert_string_equal(policy.allow_exec.items[3], "a");
	assert_string_equal(policy.allow_exec.items[4], "b");
	policy_done(&policy);
}

static void
test_a_refused_list_changes_nothing(void **state)
{
	struct error err = ERROR_INIT;
	struct policy policy;

	(void)state;
	policy_init(&policy);
	assert_int_equal(policy_add_degrade(&policy, "network,nothing", &err), -EINVAL);
	assert_false(policy.degrade[GUARANTEE_NETWORK]);
	assert_int_equal(policy_add_allow_exec(&policy, "git,", &err), -EINVAL);
	assert_false(policy.allow_exec_set);
	assert_int_equal(policy.allow_exec.count, 0);
	policy_done(&policy);
}

static void
test_flags_together(void **state)
{
	static const struct {
		const char *line;
		const char *shows; /* NULL: fine */
		enum net_mode mode;
		bool closed;
		bool listening_limited;
	} cases[] = {
		{ "", NULL, NET_MODE_FULL, false, false },
		{ "--net full", NULL, NET_MODE_FULL, false, false },
		{ "--net outbound", NULL, NET_MODE_OUTBOUND, false, true },
		{ "--net loopback", NULL, NET_MODE_LOOPBACK_ONLY, true, true },
		{ "--net blocked", NULL, NET_MODE_BLOCKED, true, true },
		{ "--allow-net *:443", NULL, NET_MODE_RULES, true, true },
		{ "--deny-net *:25", NULL, NET_MODE_FULL, true, false },
		{ "--net outbound --deny-net *:25", NULL, NET_MODE_OUTBOUND, true, true },
		{ "--net loopback --deny-net *:25", NULL, NET_MODE_LOOPBACK_ONLY, true, true },
		{ "--net blocked --deny-net *:25", NULL, NET_MODE_BLOCKED, true, true },
		{ "--allow-net *:443 --deny-net *:25", NULL, NET_MODE_RULES, true, true },
		{ "--allow-net *:443 --net full", "drop --net full", 0, false, false },
		{ "--net outbound --allow-net *:443", "drop --net outbound", 0, false, false },
		{ "--net loopback --allow-net *:443", "drop --net loopback_only", 0, false, false },
		{ "--net none --allow-net *:443", "drop --net blocked", 0, false, false },
		{ "--allow-bind *:8080", "--net outbound", 0, false, false },
		{ "--net full --allow-bind *:8080", "--net outbound", 0, false, false },
		{ "--net loopback --allow-bind *:8080", "drop one", 0, false, false },
		{ "--net blocked --allow-bind *:8080", "drop one", 0, false, false },
		{ "--net outbound --allow-bind *:8080", NULL, NET_MODE_OUTBOUND, false, true },
		{ "--allow-net *:443 --allow-bind *:8080", NULL, NET_MODE_RULES, true, true },
		{ "--allow-net *:443 --allow-bind [::]:8080", NULL, NET_MODE_RULES, true, true },
		{ "--allow-net *:443 --allow-bind a.example:80", "0.0.0.0:8080", 0, false, false },
		{ "--allow-net *:443 --allow-bind localhost:80", "0.0.0.0:8080", 0, false, false },
		{ "--allow-private", "drop it", 0, false, false },
		{ "--allow-private --allow-net *:443", "drop it", 0, false, false },
		{ "--allow-private --allow-net 10.0.0.0/8:1", "drop it", 0, false, false },
		{ "--allow-private --allow-net a.example:1", NULL, NET_MODE_RULES, true, true },
		{ "--allow-private --allow-net *.example:1", NULL, NET_MODE_RULES, true, true },
		{ "--allow-private --net outbound", "drop it", 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct policy policy;
		int r;

		policy_init(&policy);
		assert_int_equal(add_flags(&policy, cases[i].line, &err), 0);
		r = policy_finish(&policy, &err);
		if (r != (cases[i].shows != NULL ? -EINVAL : 0) ||
		    (r < 0 && strstr(err.message, cases[i].shows) == NULL))
			fail_msg("%s: %d %s", cases[i].line, r, err.message);
		if (r == 0) {
			assert_int_equal(policy_finish(&policy, &err), 0);
			if (policy.net_mode != cases[i].mode ||
			    policy_network_is_closed(&policy) != cases[i].closed ||
			    policy_listening_is_limited(&policy) != cases[i].listening_limited)
				fail_msg("%s: %s", cases[i].line, net_mode_name(policy.net_mode));
		}
		policy_done(&policy);
	}
}

static void
test_what_a_native_run_cannot_have(void **state)
{
	static const struct {
		const char *mount;
		uint64_t step_limit;
		uint64_t pages;
		const char *shows; /* NULL: fine */
	} cases[] = {
		{ ".", 0, 0, NULL },
		{ "./data:ro", 0, 0, NULL },
		{ "/data:/data", 0, 0, NULL },
		{ "/data/:/data:ro", 0, 0, NULL },
		{ "/data:/other", 0, 0, "\"-v /data\"" },
		{ "/data:/other:ro", 0, 0, "\"-v /data:ro\"" },
		{ "./data:/data", 0, 0, "\"-v ./data\"" },
		{ ".:/", 0, 0, "\"-v .\"" },
		{ ".", 1, 0, "--timeout" },
		{ ".", 0, 1, "memory=512M" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct policy policy;
		int r;

		policy_init(&policy);
		assert_int_equal(policy_add_mount(&policy, cases[i].mount, &err), 0);
		policy.limits.step_limit = cases[i].step_limit;
		policy.limits.max_memory_pages = cases[i].pages;
		r = policy_check_native(&policy, &err);
		if (r != (cases[i].shows != NULL ? -EINVAL : 0) ||
		    (r < 0 && strstr(err.message, cases[i].shows) == NULL))
			fail_msg("%s: %d %s", cases[i].mount, r, err.message);
		policy_done(&policy);
	}
}

static void
test_what_an_agent_is_granted(void **state)
{
	struct error err = ERROR_INIT;
	struct strbuf out = STRBUF_INIT;
	struct policy policy;

	(void)state;
	policy_init(&policy);
	assert_null(policy.capabilities_flag);
	assert_int_equal(policy_check_native(&policy, &err), 0);
	assert_int_equal(policy_set_capabilities(&policy, "io,disk", &err), -EINVAL);
	assert_null(policy.capabilities_flag);
	assert_int_equal(policy_set_capabilities(&policy, "fs,io", &err), 0);
	assert_int_equal(policy.capabilities, 1U << CAPABILITY_IO | 1U << CAPABILITY_FS);
	assert_int_equal(policy_set_profile(&policy, "full", &err), -EINVAL);
	assert_non_null(strstr(err.message, "exclude each other"));
	assert_int_equal(policy.capabilities, 1U << CAPABILITY_IO | 1U << CAPABILITY_FS);
	assert_int_equal(policy_check_native(&policy, &err), -EINVAL);
	assert_true(str_starts_with(err.message, "--cap grants a WASM agent"));
	policy_explain(&policy, &out);
	assert_non_null(strstr(out.text, "Agent       is granted io, fs\n"));
	out.length = 0;
	policy_explain_json(&policy, &out);
	assert_non_null(strstr(out.text, "\"capabilities\":[\"io\",\"fs\"],"));
	strbuf_done(&out);
	policy_done(&policy);
	assert_null(policy.capabilities_flag);

	assert_int_equal(policy_set_profile(&policy, "ai-agent", &err), 0);
	assert_int_equal(policy.capabilities, 1U << CAPABILITY_IO | 1U << CAPABILITY_PROCESS);
	assert_int_equal(policy_set_capabilities(&policy, "io", &err), -EINVAL);
	assert_int_equal(policy_check_native(&policy, &err), -EINVAL);
	assert_true(str_starts_with(err.message, "--profile grants a WASM agent"));
	policy_done(&policy);
}

static void
test_limits_of_agents(void **state)
{
	static const struct {
		int (*set)(struct policy *policy, const char *text, struct error *err);
		const char *text;
		int r;
	} cases[] = {
		{ policy_set_step_limit, "1", 0 },
		{ policy_set_step_limit, "0", -ERANGE },
		{ policy_set_step_limit, "18446744073709551615", 0 },
		{ policy_set_step_limit, "18446744073709551616", -ERANGE },
		{ policy_set_step_limit, "", -EINVAL },
		{ policy_set_step_limit, "1e6", -EINVAL },
		{ policy_set_step_limit, "-1", -EINVAL },
		{ policy_set_max_output, "10M", 0 },
		{ policy_set_max_output, "0", -ERANGE },
		{ policy_set_max_output, "much", -EINVAL },
		{ policy_set_max_memory, "0", -ERANGE },
		{ policy_set_max_memory, "65536", 0 },
		{ policy_set_max_memory, "65537", -ERANGE },
		{ policy_set_max_memory, "16M", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct policy policy;

		policy_init(&policy);
		assert_int_equal(cases[i].set(&policy, cases[i].text, &err), cases[i].r);
		policy_done(&policy);
	}
}

static void
test_what_stays_protected(void **state)
{
	static const struct {
		const char *allowed; /* NULL: all */
		const char *name;
		bool lifted;
	} cases[] = {
		{ NULL, ".git/config", true },
		{ ".git/config", ".git/config", true },
		{ ".git/config", ".git/config.worktree", false },
		{ ".git/config", ".git/hooks", false },
		{ ".git/hooks", ".git/hooks/pre-commit", true },
		{ ".git/hooks/pre-commit", ".git/hooks/pre-commit", true },
		{ ".git/hooks/pre-commit", ".git/hooks", false },
		{ ".git/hooks/pre-commit", ".git/hooks/post-commit", false },
		{ ".git/modules/*/config", ".git/modules/a/config", true },
		{ ".git/modules/*/config", ".git/modules/*/config", true },
		{ ".git/modules/*/config", ".git/modules/a/b/config", false },
		{ ".git/modules/a/config", ".git/modules/a/config", true },
		{ ".git/modules/a/config", ".git/modules/b/config", false },
		{ ".claude/", ".claude", true },
		{ ".claude", ".claude/settings.json", true },
		{ ".claude", ".claude.json", false },
		{ ".bashrc", ".zshrc", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct policy policy;

		policy_init(&policy);
		assert_false(policy_allows_protected(&policy, cases[i].name));
		assert_int_equal(policy_add_allow_protected(&policy, cases[i].allowed, &err), 0);
		if (policy_allows_protected(&policy, cases[i].name) != cases[i].lifted)
			fail_msg("%s, %s", cases[i].allowed, cases[i].name);
		policy_done(&policy);
	}
}

/* Names and paths in the tables are relative, normal, and there once. */
static void
check_table(const char *const *table, const char *const *required)
{
	for (const char *const *name = table; *name != NULL; name++) {
		size_t length = strlen(*name);

		if (length == 0 || **name == '/' || (*name)[length - 1] == '/' ||
		    strstr(*name, "//") != NULL || strstr(*name, "..") != NULL)
			fail_msg("%s is not normal", *name);
		for (const char *const *other = name + 1; *other != NULL; other++) {
			if (str_equal(*name, *other))
				fail_msg("%s is there twice", *name);
		}
	}
	for (; *required != NULL; required++) {
		const char *const *name = table;

		while (*name != NULL && !str_equal(*name, *required))
			name++;
		if (*name == NULL)
			fail_msg("%s is missing", *required);
	}
}

static void
test_tables(void **state)
{
	static const char *const protected_names[] = {
		".git/hooks",
		".git/config",
		".git/config.worktree",
		".git/commondir",
		".git/modules/*/config",
		".mcp.json",
		".claude",
		".cursor",
		".vscode",
		".idea",
		".devcontainer",
		".envrc",
		".bashrc",
		".bash_profile",
		".bash_login",
		".bash_logout",
		".profile",
		".zshrc",
		".zshenv",
		".zprofile",
		".zlogin",
		".zlogout",
		".config/fish/config.fish",
		"porta.toml",
		".ssh",
		".gnupg",
		NULL,
	};
	static const char *const credentials[] = {
		".aws",
		".azure",
		".config/gcloud",
		".kube",
		".docker/config.json",
		".npmrc",
		".pypirc",
		".cargo/credentials.toml",
		".m2/settings.xml",
		".gem/credentials",
		".config/gh",
		".netrc",
		".git-credentials",
		".config/git/credentials",
		".mozilla",
		".config/google-chrome",
		".config/chromium",
		".bash_history",
		".password-store",
		".local/share/keyrings",
		".config/op",
		".terraform.d/credentials.tfrc.json",
		".vault-token",
		NULL,
	};
	static const char *const toolchains[] = { ".cargo/bin", ".rustup", ".nvm", NULL };

	(void)state;
	check_table(policy_protected_names, protected_names);
	check_table(policy_credential_paths, credentials);
	check_table(policy_toolchain_paths, toolchains);
}

/* No tool-chain directory holds a credential store: --read home-hidden would show it. */
static void
test_tool_chains_hold_no_credentials(void **state)
{
	(void)state;
	for (const char *const *path = policy_toolchain_paths; *path != NULL; path++) {
		size_t n = strlen(*path);

		for (const char *const *store = policy_credential_paths; *store != NULL; store++) {
			if (strncmp(*store, *path, n) == 0 && ((*store)[n] == '/' || !(*store)[n]))
				fail_msg("%s holds %s", *path, *store);
		}
	}
}

static void
test_each_guarantee_has_words(void **state)
{
	(void)state;
	for (enum guarantee guarantee = 0; guarantee < GUARANTEE_COUNT; guarantee++) {
		assert_true(strlen(guarantee_name(guarantee)) > 0);
		assert_true(str_ends_with(guarantee_description(guarantee), "."));
	}
}

static void
make_example(struct policy *policy)
{
	struct error err = ERROR_INIT;

	policy_init(policy);
	assert_int_equal(add_flags(policy,
				   "-v . -v ./data:/data:ro --read home-hidden --deny-read ~/x "
				   "--deny-read credentials --allow-net api.example.com:443 "
				   "--allow-net *.example.org:443 --deny-net x.example.org:* "
				   "--allow-bind 0.0.0.0:8080 --allow-private --allow-unix "
				   "/run/x.sock --allow-exec git,make --limit memory=512M --limit "
				   "cpus=1.5 --degrade limits --allow-protected .claude",
				   &err),
			 0);
	policy->limits.timeout_ms = 1500;
	assert_int_equal(env_request_add(&policy->env, "A=hunter1", &err), 0);
	assert_int_equal(env_request_add(&policy->env, "B", &err), 0);
	assert_int_equal(env_request_add_secret(&policy->env, "C=hunter2", &err), 0);
	assert_int_equal(policy_finish(policy, &err), 0);
}

static void
test_a_policy_as_json(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct policy policy;

	(void)state;
	make_example(&policy);
	policy_explain_json(&policy, &out);
	assert_string_equal(
	    out.text,
	    "{\"files\":{\"mounts\":[{\"host\":\".\",\"guest\":\".\",\"read_only\":false},"
	    "{\"host\":\"./data\",\"guest\":\"/data\",\"read_only\":true}],"
	    "\"read\":\"home-hidden\",\"deny_read\":[\"~/x\"],\"deny_read_credentials\":true,"
	    "\"allow_protected_all\":false,\"allow_protected\":[\".claude\"]},"
	    "\"network\":{\"policy\":\"rules\","
	    "\"allow\":[\"api.example.com:443\",\"*.example.org:443\"],"
	    "\"deny\":[\"x.example.org:*\"],\"bind\":[\"0.0.0.0:8080\"],\"allow_private\":true,"
	    "\"unix\":[\"/run/x.sock\"]},\"userns\":false,\"exec\":[\"git\",\"make\"],"
	    "\"capabilities\":null,"
	    "\"environment\":{\"inherit\":false,\"set\":[\"A\"],\"pass\":[\"B\"],"
	    "\"secret\":[\"C\"],\"from\":{}},\"limits\":{\"timeout_ms\":1500,\"step_limit\":0,"
	    "\"max_memory_pages\":0,\"max_output_bytes\":0,\"memory\":536870912,\"cpus\":1.5},"
	    "\"degrade\":[\"limits\"]}");
	strbuf_done(&out);
	policy_done(&policy);
	policy_init(&policy);
	policy_explain_json(&policy, &out);
	assert_string_equal(
	    out.text,
	    "{\"files\":{\"mounts\":[],\"read\":\"open\",\"deny_read\":[],"
	    "\"deny_read_credentials\":false,\"allow_protected_all\":false,"
	    "\"allow_protected\":[]},\"network\":{\"policy\":\"full\",\"allow\":[],\"deny\":[],"
	    "\"bind\":[],\"allow_private\":false,\"unix\":[]},\"userns\":false,\"exec\":null,"
	    "\"capabilities\":null,"
	    "\"environment\":{\"inherit\":false,\"set\":[],\"pass\":[],\"secret\":[],\"from\":{}},"
	    "\"limits\":{\"timeout_ms\":0,\"step_limit\":0,\"max_memory_pages\":0,\"max_output_bytes\":0},"
	    "\"degrade\":[]}");
	strbuf_done(&out);
	policy_done(&policy);
}

static void
test_a_policy_in_words(void **state)
{
	static const char *const told[] = {
		". can be read and changed\n",
		"./data can be read, not changed; a WASM agent sees it as /data\n",
		"tool chains",
		"credentials cannot be read",
		"cannot be read: ~/x\n",
		".git/hooks",
		"may be changed all the same: .claude\n",
		"allowed: api.example.com:443, *.example.org:443\n",
		"refused in any case: x.example.org:*\n",
		"private address",
		"and on: 0.0.0.0:8080\n",
		"these can be reached: /run/x.sock\n",
		"only these can be started: git, make\n",
		"set: A\n",
		"passed: B\n",
		"secret: C\n",
		"ends after 1.5 s\n",
		"512 MiB",
		"1.5 CPUs",
		"--degrade limits",
	};
	struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct policy policy;

	(void)state;
	make_example(&policy);
	policy_explain(&policy, &out);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		if (strstr(out.text, told[i]) == NULL)
			fail_msg("\"%s\" is not in\n%s", told[i], out.text);
	}
	assert_null(strstr(out.text, "hunter"));
	assert_int_equal(out.text[out.length - 1], '\n');
	strbuf_done(&out);
	/* What a project's file says cannot play with the terminal. */
	assert_int_equal(policy_add_mount(&policy, "a\x1b[2Jb", &err), 0);
	policy_explain(&policy, &out);
	assert_null(strchr(out.text, '\x1b'));
	strbuf_done(&out);
	policy_done(&policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_mounts_that_are_refused),
		cmocka_unit_test(test_single_flags),
		cmocka_unit_test(test_what_flags_set),
		cmocka_unit_test(test_a_refused_list_changes_nothing),
		cmocka_unit_test(test_flags_together),
		cmocka_unit_test(test_what_a_native_run_cannot_have),
		cmocka_unit_test(test_what_an_agent_is_granted),
		cmocka_unit_test(test_limits_of_agents),
		cmocka_unit_test(test_what_stays_protected),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tool_chains_hold_no_credentials),
		cmocka_unit_test(test_each_guarantee_has_words),
		cmocka_unit_test(test_a_policy_as_json),
		cmocka_unit_test(test_a_policy_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
