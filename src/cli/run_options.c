/* The table of the flags of `porta run`; see run_options.h. */
#include "cli/run_options.h"

#include <errno.h>
#include <string.h>

#include "cli/output.h"
#include "config/env_file.h"
#include "util/mem.h"

static int
apply_volume(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_mount(&options->policy, value, err);
}

static int
apply_read(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_read(&options->policy, value, err);
}

static int
apply_deny_read(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_deny_read(&options->policy, value, err);
}

static int
apply_allow_protected(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_allow_protected(&options->policy, value, err);
}

static int
apply_net(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_net(&options->policy, value, err);
}

static int
apply_allow_net(struct run_options *options, const char *value, struct error *err)
{
	return net_rules_add(&options->policy.allow_net, value, err);
}

static int
apply_deny_net(struct run_options *options, const char *value, struct error *err)
{
	return net_rules_add(&options->policy.deny_net, value, err);
}

static int
apply_allow_private(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->policy.allow_private = true;
	return 0;
}

static int
apply_allow_bind(struct run_options *options, const char *value, struct error *err)
{
	return net_rules_add(&options->policy.allow_bind, value, err);
}

static int
apply_allow_unix(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_allow_unix(&options->policy, value, err);
}

static int
apply_env(struct run_options *options, const char *value, struct error *err)
{
	return env_request_add(&options->policy.env, value, err);
}

static int
apply_env_file(struct run_options *options, const char *value, struct error *err)
{
	return env_file_load(value, &options->policy.env, err);
}

static int
apply_secret(struct run_options *options, const char *value, struct error *err)
{
	return env_request_add_secret(&options->policy.env, value, err);
}

static int
apply_inherit_env(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->policy.env.inherit = true;
	return 0;
}

static int
apply_allow_exec(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_allow_exec(&options->policy, value, err);
}

static int
apply_allow_userns(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->policy.allow_userns = true;
	return 0;
}

static int
apply_timeout(struct run_options *options, const char *value, struct error *err)
{
	int r = str_parse_duration_ms(value, &options->policy.limits.timeout_ms);

	if (r == -ERANGE)
		return error_set(err, r,
				 "a time is more than 0 and at most 365 days: write it as in 90s");
	if (r < 0)
		return error_set(err, r,
				 "not a time: write a number and ms, s, m, h or d, as in 90s");
	return 0;
}

static int
apply_limit(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_limit(&options->policy, value, err);
}

static int
apply_degrade(struct run_options *options, const char *value, struct error *err)
{
	return policy_add_degrade(&options->policy, value != NULL ? value : "all", err);
}

static int
apply_profile(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_profile(&options->policy, value, err);
}

static int
apply_cap(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_capabilities(&options->policy, value, err);
}

static int
apply_step_limit(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_step_limit(&options->policy, value, err);
}

static int
apply_max_output(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_max_output(&options->policy, value, err);
}

static int
apply_max_memory(struct run_options *options, const char *value, struct error *err)
{
	return policy_set_max_memory(&options->policy, value, err);
}

static int
apply_report(struct run_options *options, const char *value, struct error *err)
{
	if (*value == '\0')
		return error_set(err, -EINVAL, "the name of a file is missing");
	options->broker.report_path = value;
	return 0;
}

static int
apply_quiet(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->broker.quiet = true;
	return 0;
}

static int
apply_file(struct run_options *options, const char *value, struct error *err)
{
	if (*value == '\0')
		return error_set(err, -EINVAL, "the name of a file is missing");
	options->project_path = value;
	return 0;
}

static int
apply_json(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->json = true;
	return 0;
}

static int
apply_check(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->serve.check = true;
	return 0;
}

static int
apply_http(struct run_options *options, const char *value, struct error *err)
{
	return serve_options_set_http(&options->serve, value, err);
}

static int
apply_token_file(struct run_options *options, const char *value, struct error *err)
{
	(void)err;
	options->serve.token_file = value;
	return 0;
}

static int
apply_state_key_file(struct run_options *options, const char *value, struct error *err)
{
	(void)err;
	options->serve.state_key_file = value;
	return 0;
}

static int
apply_allow_origin(struct run_options *options, const char *value, struct error *err)
{
	return serve_options_add_origin(&options->serve, value, err);
}

static int
apply_allow_host(struct run_options *options, const char *value, struct error *err)
{
	if (*value == '\0')
		return error_set(err, -EINVAL, "the name of a host is missing");
	strv_add(&options->serve.allow_hosts, value);
	return 0;
}

static int
apply_workers(struct run_options *options, const char *value, struct error *err)
{
	return serve_options_set_workers(&options->serve, value, err);
}

static int
apply_help(struct run_options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->help = true;
	return 0;
}

static const char *
word_net(size_t index)
{
	return index < NET_MODE_RULES ? net_mode_name((enum net_mode)index) : NULL;
}

static const char *
word_read(size_t index)
{
	return index < READ_MODE_COUNT ? read_mode_name((enum read_mode)index) : NULL;
}

static const char *
word_deny_read(size_t index)
{
	return index == 0 ? "credentials" : NULL;
}

static const char *
word_protected(size_t index)
{
	const char *name = policy_protected_names[index];

	/* No flag lifts the protection of keys, which end the list. */
	return name == NULL || str_equal(name, ".ssh") ? NULL : name;
}

static const char *
word_limit(size_t index)
{
	return index < LIMIT_KIND_COUNT ? limit_name((enum limit_kind)index) : NULL;
}

static const char *
word_degrade(size_t index)
{
	return index < GUARANTEE_COUNT ? guarantee_name((enum guarantee)index) : NULL;
}

static const char *
word_capability(size_t index)
{
	return index < CAPABILITY_COUNT ? capability_name((enum capability)index) : NULL;
}

const struct run_option run_options_table[] = {
	{ .name = "--volume",
	  .short_name = "-v",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_FILES,
	  .value = "PATH[:ro]",
	  .example = ".",
	  .key = "sandbox.mounts",
	  .is_path = true,
	  .help = "let the command change this directory or file; with :ro it is only readable, "
		  "also inside a writable one; PATH:/GUEST is where a WASM agent sees it",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .apply = apply_volume },
	{ .name = "--read",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_FILES,
	  .once = true,
	  .value = "MODE",
	  .example = "home-hidden",
	  .key = "sandbox.read",
	  .help = "what is readable beside the -v paths: open (all; the default), home-hidden "
		  "(of the home directory only tool chains), listed (only the system)",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = word_read,
	  .apply = apply_read },
	{ .name = "--deny-read",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_FILES,
	  .value = "PATH",
	  .example = "credentials",
	  .key = "sandbox.deny-read",
	  .is_path = true,
	  .help = "hide a path, or with the word credentials every well-known store of "
		  "tokens; ~/.ssh and ~/.gnupg are always hidden",
	  .completion = RUN_OPTION_COMPLETE_WORDS_AND_FILES,
	  .word = word_deny_read,
	  .apply = apply_deny_read },
	{ .name = "--allow-protected",
	  .form = RUN_OPTION_OPTIONAL,
	  .group = RUN_OPTION_FILES,
	  .value = "NAME",
	  .example = ".git/config",
	  .key = "sandbox.allow-protected",
	  .help = "let the command change a file that makes other programs run code, such as "
		  ".git/hooks; without a name: all of them",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = word_protected,
	  .apply = apply_allow_protected },
	{ .name = "--net",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_NETWORK,
	  .once = true,
	  .value = "POLICY",
	  .example = "loopback_only",
	  .key = "sandbox.net",
	  .help = "full (the default), outbound (listen on localhost only), loopback_only or "
		  "blocked",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = word_net,
	  .apply = apply_net },
	{ .name = "--allow-net",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_NETWORK,
	  .value = "HOST:PORT",
	  .example = "'api.example.com:443'",
	  .key = "sandbox.network",
	  .help = "close the network but for this; HOST is *, a name, *.name, an address or "
		  "CIDR (0.0.0.0 is this machine), PORT a number, N-M or *",
	  .apply = apply_allow_net },
	{ .name = "--deny-net",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_NETWORK,
	  .value = "HOST:PORT",
	  .example = "'10.0.0.0/8:*'",
	  .key = "sandbox.deny-net",
	  .help = "refuse this, whatever else is allowed",
	  .apply = apply_deny_net },
	{ .name = "--allow-private",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_NETWORK,
	  .key = "sandbox.allow-private",
	  .help = "let an allowed name lead to private, loopback and link-local addresses",
	  .apply = apply_allow_private },
	{ .name = "--allow-bind",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_NETWORK,
	  .value = "HOST:PORT",
	  .example = "'*:8080'",
	  .key = "sandbox.allow-bind",
	  .help = "let the command listen here, beyond localhost",
	  .apply = apply_allow_bind },
	{ .name = "--allow-unix",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_NETWORK,
	  .value = "PATH",
	  .example = "/run/docker.sock",
	  .key = "sandbox.allow-unix",
	  .is_path = true,
	  .help = "let the command connect to this unix socket of the host",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .apply = apply_allow_unix },
	{ .name = "--env",
	  .short_name = "-e",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_ENVIRONMENT,
	  .is_secret = true,
	  .value = "KEY[=VALUE]",
	  .example = "NODE_ENV=production",
	  .key = "env.*",
	  .help = "set an environment variable, or pass the host's value of KEY",
	  .apply = apply_env },
	{ .name = "--env-file",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_ENVIRONMENT,
	  .value = "FILE",
	  .example = ".env",
	  .key = "sandbox.env-file",
	  .is_path = true,
	  .help = "set the variables of a file of KEY=VALUE lines",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .apply = apply_env_file },
	{ .name = "--secret",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_ENVIRONMENT,
	  .is_secret = true,
	  .value = "KEY=VALUE",
	  .example = "\"API_KEY=$API_KEY\"",
	  .key = "secrets.*",
	  .help = "set a variable that porta never shows: not in ps, logs or explain",
	  .apply = apply_secret },
	{ .name = "--inherit-env",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_ENVIRONMENT,
	  .key = "sandbox.inherit-env",
	  .help = "pass the whole environment, tokens too; by default only PATH, HOME, LANG and "
		  "the like pass",
	  .apply = apply_inherit_env },
	{ .name = "--allow-exec",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_PROCESSES,
	  .value = "CMD,...",
	  .example = "node,npm",
	  .key = "sandbox.allow-exec",
	  .is_path = true,
	  .help = "let only these programs be executed",
	  .apply = apply_allow_exec },
	{ .name = "--allow-userns",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_PROCESSES,
	  .key = "sandbox.allow-userns",
	  .help = "allow user namespaces, which browsers need for their own sandbox",
	  .apply = apply_allow_userns },
	{ .name = "--timeout",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_PROCESSES,
	  .once = true,
	  .value = "TIME",
	  .example = "90s",
	  .key = "limits.timeout",
	  .is_number = true,
	  .help = "end the run after this time, with exit code 124: 500ms, 90s, 5m, 2h",
	  .apply = apply_timeout },
	{ .name = "--limit",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_PROCESSES,
	  .value = "NAME=VALUE",
	  .example = "memory=2G",
	  .key = "limits.*",
	  .is_number = true,
	  .help = "limit a resource: memory, pids, cpus (by cgroup); cpu, fsize, nofile, nproc, "
		  "as, data, stack, core, memlock (by setrlimit)",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = word_limit,
	  .apply = apply_limit },
	{ .name = "--degrade",
	  .form = RUN_OPTION_OPTIONAL,
	  .group = RUN_OPTION_PROCESSES,
	  .value = "NAMES",
	  .example = "metadata,tree",
	  .key = "sandbox.degrade",
	  .help = "run although this machine cannot keep these guarantees, which porta doctor "
		  "names; without names: whichever it cannot keep",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = word_degrade,
	  .apply = apply_degrade },
	{ .name = "--profile",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_AGENTS,
	  .once = true,
	  .value = "NAME",
	  .example = "worker",
	  .key = "sandbox.profile",
	  .help = "what the agent is granted: ai-agent (io, process), worker (also clock, random) "
		  "or full (all)",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = capability_profile_name,
	  .apply = apply_profile },
	{ .name = "--cap",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_AGENTS,
	  .once = true,
	  .value = "LIST",
	  .example = "io,process,fs",
	  .key = "sandbox.cap",
	  .help = "the same one by one: io, fs, fs.write, process, env, clock, random, net, exec",
	  .completion = RUN_OPTION_COMPLETE_WORDS,
	  .word = word_capability,
	  .apply = apply_cap },
	{ .name = "--step-limit",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_AGENTS,
	  .once = true,
	  .value = "N",
	  .example = "1000000",
	  .key = "limits.step-limit",
	  .is_number = true,
	  .help = "end the agent after this many instructions",
	  .apply = apply_step_limit },
	{ .name = "--max-memory",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_AGENTS,
	  .once = true,
	  .value = "PAGES",
	  .example = "256",
	  .key = "limits.max-memory",
	  .is_number = true,
	  .help = "the most memory that the agent may have, in pages of 64 KiB",
	  .apply = apply_max_memory },
	{ .name = "--max-output",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_AGENTS,
	  .once = true,
	  .value = "SIZE",
	  .example = "10M",
	  .key = "limits.max-output",
	  .is_number = true,
	  .help = "end the agent when it has written more than this, stdout and stderr together",
	  .apply = apply_max_output },
	{ .name = "--check",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_SERVER,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .help = "say what would be served, and what each may touch; exit code 0 or 1",
	  .apply = apply_check },
	{ .name = "--http",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_SERVER,
	  .once = true,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .value = "ADDR:PORT",
	  .example = "127.0.0.1:8080",
	  .key = "serve.http",
	  .help = "serve by HTTP, at /mcp, instead of standard input and output",
	  .apply = apply_http },
	{ .name = "--token-file",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_SERVER,
	  .once = true,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .value = "FILE",
	  .example = "token.txt",
	  .key = "serve.token-file",
	  .is_path = true,
	  .help = "answer only who sends this file's first line as bearer token; needed "
		  "beyond this machine",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .apply = apply_token_file },
	{ .name = "--allow-origin",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_SERVER,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .value = "ORIGIN",
	  .example = "https://app.example.com",
	  .key = "serve.allow-origin",
	  .help = "answer pages of this origin too; by default only those of this machine",
	  .apply = apply_allow_origin },
	{ .name = "--allow-host",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_SERVER,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .value = "NAME",
	  .example = "mcp.example.com",
	  .key = "serve.allow-host",
	  .help = "answer requests for this host name too",
	  .apply = apply_allow_host },
	{ .name = "--workers",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_SERVER,
	  .once = true,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .value = "N",
	  .example = "64",
	  .key = "serve.workers",
	  .is_number = true,
	  .help = "how many calls run at once at most; 64 by default",
	  .apply = apply_workers },
	{ .name = "--state-key-file",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_SERVER,
	  .once = true,
	  .only_for = RUN_OPTION_FOR_SERVE,
	  .value = "FILE",
	  .example = "state.key",
	  .key = "serve.state-key-file",
	  .is_path = true,
	  .help = "the key for what clients keep between two tries, at least 32 random bytes "
		  "that replicas share",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .apply = apply_state_key_file },
	{ .name = "--report",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_REPORTING,
	  .once = true,
	  .value = "FILE",
	  .example = "refused.jsonl",
	  .key = "runtime.report",
	  .is_path = true,
	  .help = "write what was refused to a file, as JSON lines",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .apply = apply_report },
	{ .name = "--quiet",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_REPORTING,
	  .key = "runtime.quiet",
	  .help = "do not tell at the end what was refused",
	  .apply = apply_quiet },
	{ .name = "--file",
	  .form = RUN_OPTION_VALUE,
	  .group = RUN_OPTION_REPORTING,
	  .once = true,
	  .only_for = RUN_OPTION_FOR_UP | RUN_OPTION_FOR_EXPLAIN | RUN_OPTION_FOR_SERVE,
	  .value = "FILE",
	  .example = "porta.toml",
	  .help = "the porta.toml to take; by default the one of this directory, or of the nearest "
		  "one above it",
	  .completion = RUN_OPTION_COMPLETE_FILES,
	  .is_early = true,
	  .apply = apply_file },
	{ .name = "--json",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_REPORTING,
	  .only_for = RUN_OPTION_FOR_EXPLAIN,
	  .help = "print one JSON object with the policy and the plan",
	  .apply = apply_json },
	{ .name = "--help",
	  .short_name = "-h",
	  .form = RUN_OPTION_BARE,
	  .group = RUN_OPTION_REPORTING,
	  .help = "show this text",
	  .is_early = true,
	  .apply = apply_help },
};

const size_t run_options_count = ARRAY_SIZE(run_options_table);

const char *
run_option_group_name(enum run_option_group group)
{
	static const char *const names[] = {
		[RUN_OPTION_FILES] = "Files",
		[RUN_OPTION_NETWORK] = "Network",
		[RUN_OPTION_ENVIRONMENT] = "Environment",
		[RUN_OPTION_PROCESSES] = "Processes and limits",
		[RUN_OPTION_AGENTS] = "WASM agents",
		[RUN_OPTION_SERVER] = "Server",
		[RUN_OPTION_REPORTING] = "Reporting",
	};

	static_assert(ARRAY_SIZE(names) == RUN_OPTION_GROUP_COUNT, "a name for each group");
	return names[group];
}

unsigned int
run_option_command_bit(const char *command_name)
{
	static const char *const names[] = { "run", "up", "explain", "serve" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_equal(command_name, names[i]))
			return 1U << i;
	}
	return 0;
}

bool
run_option_is_for(const struct run_option *option, const char *command_name)
{
	return option->only_for == 0 || (option->only_for & run_option_command_bit(command_name)) != 0;
}

bool
run_option_looks_like(const char *argument)
{
	return argument[0] == '-' && argument[1] != '\0';
}

/* Whether `argument` is `option`, by its long or short name, and where its value begins. */
static bool
option_is(const struct run_option *option, const char *argument, const char **ret_value)
{
	size_t length = strlen(option->name);

	if (strncmp(argument, option->name, length) == 0) {
		*ret_value = argument[length] == '=' ? argument + length + 1 : NULL;
		return argument[length] == '\0' || argument[length] == '=';
	}
	if (option->short_name == NULL || !str_starts_with(argument, option->short_name))
		return false;
	argument += strlen(option->short_name);
	*ret_value = NULL;
	if (*argument == '\0')
		return true;
	/* "-v=PATH" is meant as "--volume=PATH" is, as other tools take it. */
	*ret_value = *argument == '=' ? argument + 1 : argument;
	return option->form == RUN_OPTION_VALUE;
}

const struct run_option *
run_option_find(const char *argument, const char **ret_value)
{
	*ret_value = NULL;
	if (argument[0] != '-')
		return NULL;
	for (size_t i = 0; i < run_options_count; i++) {
		if (option_is(&run_options_table[i], argument, ret_value))
			return &run_options_table[i];
	}
	*ret_value = NULL;
	return NULL;
}

/* "-v, --volume PATH[:ro]" */
static char *
option_heading(const struct run_option *option)
{
	struct strbuf heading = STRBUF_INIT;

	if (option->short_name != NULL)
		strbuf_printf(&heading, "%s, ", option->short_name);
	strbuf_puts(&heading, option->name);
	if (option->form == RUN_OPTION_VALUE)
		strbuf_printf(&heading, " %s", option->value);
	else if (option->form == RUN_OPTION_OPTIONAL)
		strbuf_printf(&heading, "[=%s]", option->value);
	return strbuf_take(&heading);
}

void
run_options_write_help(const char *command_name, struct strbuf *out)
{
	enum { HELP_COLUMN = 28, HELP_WIDTH = 80 };

	for (int group = 0; group < RUN_OPTION_GROUP_COUNT; group++) {
		strbuf_printf(out, "\n%s\n", run_option_group_name((enum run_option_group)group));
		for (size_t i = 0; i < run_options_count; i++) {
			const struct run_option *option = &run_options_table[i];
			_cleanup_free_ char *heading = NULL;

			if ((int)option->group != group || !run_option_is_for(option, command_name))
				continue;
			heading = option_heading(option);
			strbuf_printf(out, "  %-*s", HELP_COLUMN - 2, heading);
			output_put_wrapped(out, option->help, HELP_COLUMN, HELP_WIDTH);
		}
	}
}
