/* The policy in a person's words, and as JSON; see policy.h. */
#include "policy/policy.h"

#include <inttypes.h>
#include <string.h>

#include "util/macros.h"
#include "util/mem.h"

enum { TOPIC_COLUMNS = 12, LINE_COLUMNS = 90 };

/* Starts a line; only the first of a group shows what the group is about. */
static void
begin(struct strbuf *out, const char *topic)
{
	strbuf_printf(out, "%-*s", TOPIC_COLUMNS, topic);
}

static void
fact(struct strbuf *out, const char *topic, const char *text)
{
	begin(out, topic);
	strbuf_puts(out, text);
	strbuf_putc(out, '\n');
}

/* One word of a list, on a new line where this one is full; control bytes made visible. */
static void
put_word(struct strbuf *out, const char *word, bool is_first)
{
	const char *line = strrchr(out->text, '\n');
	size_t column = out->length - (line != NULL ? (size_t)(line + 1 - out->text) : 0);

	if (!is_first)
		strbuf_putc(out, ',');
	if (!is_first && column + strlen(word) > LINE_COLUMNS) {
		strbuf_putc(out, '\n');
		begin(out, "");
	} else if (!is_first) {
		strbuf_putc(out, ' ');
	}
	strbuf_put_printable(out, word);
}

static void
list_fact(struct strbuf *out, const char *topic, const char *text, const struct strv *list)
{
	if (list->count == 0)
		return;
	begin(out, topic);
	strbuf_puts(out, text);
	for (size_t i = 0; i < list->count; i++)
		put_word(out, list->items[i], i == 0);
	strbuf_putc(out, '\n');
}

static void
rules_fact(struct strbuf *out, const char *topic, const char *text, const struct net_rules *rules)
{
	if (rules->count == 0)
		return;
	begin(out, topic);
	strbuf_puts(out, text);
	for (size_t i = 0; i < rules->count; i++)
		put_word(out, rules->items[i].text, i == 0);
	strbuf_putc(out, '\n');
}

static void
explain_mounts(const struct policy *policy, struct strbuf *out)
{
	for (size_t i = 0; i < policy->mounts_count; i++) {
		const struct policy_mount *mount = &policy->mounts[i];

		begin(out, i == 0 ? "Files" : "");
		strbuf_put_printable(out, mount->host);
		strbuf_puts(out, mount->read_only ? " can be read, not changed"
						  : " can be read and changed");
		if (mount->guest != NULL) {
			strbuf_puts(out, "; a WASM agent sees it as ");
			strbuf_put_printable(out, mount->guest);
		}
		strbuf_putc(out, '\n');
	}
	fact(out, policy->mounts_count == 0 ? "Files" : "",
	     "/tmp can be read and changed; nothing else can be changed");
}

static void
explain_reading(const struct policy *policy, struct strbuf *out)
{
	static const char *const sentences[] = {
		[READ_MODE_OPEN] = "everything can be read but what is named below",
		[READ_MODE_HOME_HIDDEN] = "of the home directory, only the tool chains can be read",
		[READ_MODE_LISTED] = "beside these, only the system can be read",
	};
	static_assert(ARRAY_SIZE(sentences) == READ_MODE_COUNT, "a sentence for each read mode");

	fact(out, "", sentences[policy->read_mode]);
	fact(out, "", "~/.ssh and ~/.gnupg cannot be read, wherever they are reached from");
	if (policy->deny_read_credentials)
		fact(out, "",
		     "credentials cannot be read: clouds, registries, git, browsers, "
		     "shell histories, .env files elsewhere");
	list_fact(out, "", "cannot be read: ", &policy->deny_read);
}

static bool
has_writable_mount(const struct policy *policy)
{
	for (size_t i = 0; i < policy->mounts_count; i++) {
		if (!policy->mounts[i].read_only)
			return true;
	}
	return false;
}

static void
explain_protected(const struct policy *policy, struct strbuf *out)
{
	bool is_first = true;

	if (!has_writable_mount(policy))
		return;
	if (policy->allow_protected_all) {
		fact(out, "Protected",
		     "nothing: --allow-protected lets also git hooks, start-up "
		     "files and their like be changed");
		return;
	}
	begin(out, "Protected");
	strbuf_puts(out, "in those, not changed, since other programs run what they say: ");
	for (const char *const *name = policy_protected_names; *name != NULL; name++) {
		if (policy_allows_protected(policy, *name))
			continue;
		put_word(out, *name, is_first);
		is_first = false;
	}
	strbuf_putc(out, '\n');
	list_fact(out, "", "may be changed all the same: ", &policy->allow_protected);
}

static bool
some_rule_names_this_machine(const struct net_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (net_rule_names_this_machine(&rules->items[i]))
			return true;
	}
	return false;
}

static void
explain_network(const struct policy *policy, struct strbuf *out)
{
	static const struct {
		const char *connect;
		const char *listen;
	} sentences[] = {
		[NET_MODE_FULL] = { "open: programs connect anywhere",
				    "programs listen on any address" },
		[NET_MODE_OUTBOUND] = { "outbound: programs connect anywhere",
					"programs listen on localhost only" },
		[NET_MODE_LOOPBACK_ONLY] = { "loopback_only: programs connect to localhost only",
					     "programs listen on localhost only" },
		[NET_MODE_BLOCKED] = { "blocked: no connections, not even to localhost",
				       "no program listens" },
		[NET_MODE_RULES] = { "rules: programs connect to what a rule names, and to what "
				     "they serve themselves on localhost",
				     "programs listen on localhost only" },
	};
	static_assert(ARRAY_SIZE(sentences) == NET_MODE_COUNT, "sentences for each network mode");

	fact(out, "Network", sentences[policy->net_mode].connect);
	rules_fact(out, "", "allowed: ", &policy->allow_net);
	rules_fact(out, "", "refused in any case: ", &policy->deny_net);
	if (some_rule_names_this_machine(&policy->allow_net) ||
	    some_rule_names_this_machine(&policy->deny_net))
		fact(out, "",
		     "there 0.0.0.0 and [::] are this machine: allowed, 127.0.0.1 and ::1; "
		     "refused, all of localhost");
	if (policy->allow_private)
		fact(out, "", "an allowed name may lead to a private address or to this machine");
	if (policy_network_is_closed(policy) && policy->net_mode != NET_MODE_BLOCKED)
		fact(out, "", "only TCP; names are looked up by porta where a rule lets them be");
	fact(out, "", sentences[policy->net_mode].listen);
	rules_fact(out, "", "and on: ", &policy->allow_bind);
	fact(out, "Sockets",
	     "services of this machine (docker, ssh-agent, the session bus) are out of reach");
	if (policy->mounts_count > 0)
		fact(out, "", "sockets in the paths above can be reached");
	list_fact(out, "", "these can be reached: ", &policy->allow_unix);
}

static void
explain_capabilities(const struct policy *policy, struct strbuf *out)
{
	if (policy->capabilities_flag == NULL)
		return;
	begin(out, "Agent");
	strbuf_puts(out, "is granted ");
	capability_put_set(out, policy->capabilities);
	strbuf_putc(out, '\n');
}

/* Names alone: the value of any variable may be a token. */
static void
explain_variables(const struct env_request *env, enum env_entry_kind kind, const char *text,
		  struct strbuf *out)
{
	bool any = false;

	for (size_t i = 0; i < env->count; i++) {
		_cleanup_free_ char *word = NULL;

		if (env->entries[i].kind != kind)
			continue;
		if (!any) {
			begin(out, "");
			strbuf_puts(out, text);
		}
		if (env->entries[i].source != NULL)
			word = mem_printf("%s (from %s)", env->entries[i].key, env->entries[i].source);
		put_word(out, word != NULL ? word : env->entries[i].key, !any);
		any = true;
	}
	if (any)
		strbuf_putc(out, '\n');
}

static void
explain_environment(const struct policy *policy, struct strbuf *out)
{
	if (policy->env.inherit) {
		fact(out, "Environment", "all variables of this shell, tokens too");
	} else {
		begin(out, "Environment");
		strbuf_puts(out, "of this shell only: ");
		for (const char *const *name = env_allowed_names; *name != NULL; name++)
			put_word(out, *name, name == env_allowed_names);
		strbuf_putc(out, '\n');
	}
	explain_variables(&policy->env, ENV_ENTRY_PASS, "passed: ", out);
	explain_variables(&policy->env, ENV_ENTRY_SET, "set: ", out);
	explain_variables(&policy->env, ENV_ENTRY_SECRET, "secret: ", out);
}

/* Thousandths without zeros at the end: 1500 is "1.5". */
static void
put_thousandths(struct strbuf *out, uint64_t value)
{
	uint64_t rest = value % 1000;
	int digits = 3;

	strbuf_printf(out, "%" PRIu64, value / 1000);
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	strbuf_printf(out, ".%0*" PRIu64, digits, rest);
}

/* In the largest unit that keeps it whole. */
static void
put_bytes(struct strbuf *out, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	for (; bytes > 0 && bytes % 1024 == 0 && unit + 1 < ARRAY_SIZE(units); unit++)
		bytes /= 1024;
	strbuf_printf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

static const struct {
	const char *before;
	const char *after;
	bool is_bytes;
} limit_words[] = {
	[LIMIT_CPU_SECONDS] = { "a process may use ", " s of CPU time", false },
	[LIMIT_FILE_BYTES] = { "a file may grow to ", "", true },
	[LIMIT_OPEN_FILES] = { "a process may have ", " files open", false },
	[LIMIT_PROCESSES] = { "this user may have ", " processes", false },
	[LIMIT_ADDRESS_BYTES] = { "a process may map ", "", true },
	[LIMIT_DATA_BYTES] = { "a process may have ", " of data", true },
	[LIMIT_STACK_BYTES] = { "a stack may grow to ", "", true },
	[LIMIT_CORE_BYTES] = { "a core file may grow to ", "", true },
	[LIMIT_MEMLOCK_BYTES] = { "a process may lock ", " of memory", true },
	[LIMIT_MEMORY_BYTES] = { "all processes together may use ", " of memory", true },
	[LIMIT_TASKS] = { "there may be ", " tasks at once", false },
	[LIMIT_CPU_MILLI] = { "all processes together may use ", " CPUs", false },
};
static_assert(ARRAY_SIZE(limit_words) == LIMIT_KIND_COUNT, "words for each limit");

/* In the limit's own unit, as a bare number. */
static void
put_limit_number(struct strbuf *out, enum limit_kind kind, uint64_t value)
{
	if (kind == LIMIT_CPU_MILLI)
		put_thousandths(out, value);
	else
		strbuf_printf(out, "%" PRIu64, value);
}

/* The topic of a line of limits: only the first one shows it. */
static void
begin_limit(struct strbuf *out, bool *is_first)
{
	begin(out, *is_first ? "Limits" : "");
	*is_first = false;
}

static void
explain_limits(const struct policy *policy, struct strbuf *out)
{
	const struct policy_limits *limits = &policy->limits;
	bool is_first = true;

	if (limits->timeout_ms > 0) {
		begin_limit(out, &is_first);
		strbuf_puts(out, "the run ends after ");
		put_thousandths(out, limits->timeout_ms);
		strbuf_puts(out, " s\n");
	}
	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		if (!limits->is_set[kind])
			continue;
		begin_limit(out, &is_first);
		strbuf_puts(out, limit_words[kind].before);
		if (limit_words[kind].is_bytes)
			put_bytes(out, limits->value[kind]);
		else
			put_limit_number(out, kind, limits->value[kind]);
		strbuf_printf(out, "%s\n", limit_words[kind].after);
	}
	if (limits->step_limit > 0) {
		begin_limit(out, &is_first);
		strbuf_printf(out, "an agent may run %" PRIu64 " instructions\n",
			      limits->step_limit);
	}
	if (limits->max_memory_pages > 0) {
		begin_limit(out, &is_first);
		strbuf_printf(out, "an agent may use %" PRIu64 " pages of 64 KiB\n",
			      limits->max_memory_pages);
	}
	if (limits->max_output_bytes > 0) {
		begin_limit(out, &is_first);
		strbuf_puts(out, "an agent may write ");
		put_bytes(out, limits->max_output_bytes);
		strbuf_puts(out, " to stdout and stderr\n");
	}
}

void
policy_explain(const struct policy *policy, struct strbuf *out)
{
	const char *topic = "Accepted";

	explain_mounts(policy, out);
	explain_reading(policy, out);
	explain_protected(policy, out);
	explain_network(policy, out);
	fact(out, "Processes",
	     policy->allow_userns ? "see only each other, end with porta, and may make namespaces"
				  : "see only each other, and end with porta");
	if (policy->allow_exec_set)
		list_fact(out, "Commands", "only these can be started: ", &policy->allow_exec);
	explain_capabilities(policy, out);
	explain_environment(policy, out);
	explain_limits(policy, out);
	for (enum guarantee guarantee = 0; guarantee < GUARANTEE_COUNT; guarantee++) {
		if (!policy->degrade[guarantee])
			continue;
		begin(out, topic);
		strbuf_printf(out, "need not hold (--degrade %s): %s\n", guarantee_name(guarantee),
			      guarantee_description(guarantee));
		topic = "";
	}
}

static void
json_bool(struct strbuf *out, const char *key, bool value)
{
	strbuf_printf(out, "\"%s\":%s", key, value ? "true" : "false");
}

/* "key":["a","b"] */
static void
json_list(struct strbuf *out, const char *key, const struct strv *list)
{
	strbuf_printf(out, "\"%s\":[", key);
	for (size_t i = 0; i < list->count; i++) {
		strbuf_puts(out, i > 0 ? "," : "");
		strbuf_put_json(out, list->items[i]);
	}
	strbuf_putc(out, ']');
}

static void
json_rules(struct strbuf *out, const char *key, const struct net_rules *rules)
{
	strbuf_printf(out, "\"%s\":[", key);
	for (size_t i = 0; i < rules->count; i++) {
		strbuf_puts(out, i > 0 ? "," : "");
		strbuf_put_json(out, rules->items[i].text);
	}
	strbuf_putc(out, ']');
}

static void
json_files(const struct policy *policy, struct strbuf *out)
{
	strbuf_puts(out, "\"files\":{\"mounts\":[");
	for (size_t i = 0; i < policy->mounts_count; i++) {
		const struct policy_mount *mount = &policy->mounts[i];

		strbuf_puts(out, i > 0 ? ",{\"host\":" : "{\"host\":");
		strbuf_put_json(out, mount->host);
		strbuf_puts(out, ",\"guest\":");
		strbuf_put_json(out, mount->guest != NULL ? mount->guest : mount->host);
		strbuf_putc(out, ',');
		json_bool(out, "read_only", mount->read_only);
		strbuf_putc(out, '}');
	}
	strbuf_printf(out, "],\"read\":\"%s\",", read_mode_name(policy->read_mode));
	json_list(out, "deny_read", &policy->deny_read);
	strbuf_putc(out, ',');
	json_bool(out, "deny_read_credentials", policy->deny_read_credentials);
	strbuf_putc(out, ',');
	json_bool(out, "allow_protected_all", policy->allow_protected_all);
	strbuf_putc(out, ',');
	json_list(out, "allow_protected", &policy->allow_protected);
	strbuf_puts(out, "},");
}

static void
json_network(const struct policy *policy, struct strbuf *out)
{
	strbuf_printf(out, "\"network\":{\"policy\":\"%s\",", net_mode_name(policy->net_mode));
	json_rules(out, "allow", &policy->allow_net);
	strbuf_putc(out, ',');
	json_rules(out, "deny", &policy->deny_net);
	strbuf_putc(out, ',');
	json_rules(out, "bind", &policy->allow_bind);
	strbuf_putc(out, ',');
	json_bool(out, "allow_private", policy->allow_private);
	strbuf_putc(out, ',');
	json_list(out, "unix", &policy->allow_unix);
	strbuf_puts(out, "},");
}

/* "from":{"KEY":"OTHER"}: the variables of the host that others are read from. */
static void
json_sources(const struct env_request *env, struct strbuf *out)
{
	const char *separator = "";

	strbuf_puts(out, "\"from\":{");
	for (size_t i = 0; i < env->count; i++) {
		if (env->entries[i].source == NULL)
			continue;
		strbuf_puts(out, separator);
		strbuf_put_json(out, env->entries[i].key);
		strbuf_putc(out, ':');
		strbuf_put_json(out, env->entries[i].source);
		separator = ",";
	}
	strbuf_putc(out, '}');
}

static void
json_environment(const struct env_request *env, struct strbuf *out)
{
	static const char *const keys[] = {
		[ENV_ENTRY_SET] = "set",
		[ENV_ENTRY_PASS] = "pass",
		[ENV_ENTRY_SECRET] = "secret",
	};
	static_assert(ARRAY_SIZE(keys) == ENV_ENTRY_KIND_COUNT, "a key for each kind");

	strbuf_puts(out, "\"environment\":{");
	json_bool(out, "inherit", env->inherit);
	strbuf_putc(out, ',');
	for (enum env_entry_kind kind = 0; kind < ENV_ENTRY_KIND_COUNT; kind++) {
		const char *separator = "";

		strbuf_printf(out, "\"%s\":[", keys[kind]);
		for (size_t i = 0; i < env->count; i++) {
			if (env->entries[i].kind != kind)
				continue;
			strbuf_puts(out, separator);
			strbuf_put_json(out, env->entries[i].key);
			separator = ",";
		}
		strbuf_puts(out, "],");
	}
	json_sources(env, out);
	strbuf_puts(out, "},");
}

/* "capabilities":["io"], null where no flag grants them. */
static void
json_capabilities(const struct policy *policy, struct strbuf *out)
{
	const char *separator = "";

	if (policy->capabilities_flag == NULL) {
		strbuf_puts(out, "\"capabilities\":null,");
		return;
	}
	strbuf_puts(out, "\"capabilities\":[");
	for (enum capability i = 0; i < CAPABILITY_COUNT; i++) {
		if ((policy->capabilities & (1U << i)) == 0)
			continue;
		strbuf_printf(out, "%s\"%s\"", separator, capability_name(i));
		separator = ",";
	}
	strbuf_puts(out, "],");
}

static void
json_limits(const struct policy_limits *limits, struct strbuf *out)
{
	strbuf_printf(out,
		      "\"limits\":{\"timeout_ms\":%" PRIu64 ",\"step_limit\":%" PRIu64
		      ",\"max_memory_pages\":%" PRIu64 ",\"max_output_bytes\":%" PRIu64,
		      limits->timeout_ms, limits->step_limit, limits->max_memory_pages,
		      limits->max_output_bytes);
	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		if (!limits->is_set[kind])
			continue;
		strbuf_printf(out, ",\"%s\":", limit_name(kind));
		put_limit_number(out, kind, limits->value[kind]);
	}
	strbuf_puts(out, "},");
}

void
policy_explain_json(const struct policy *policy, struct strbuf *out)
{
	const char *separator = "";

	strbuf_putc(out, '{');
	json_files(policy, out);
	json_network(policy, out);
	json_bool(out, "userns", policy->allow_userns);
	strbuf_putc(out, ',');
	if (policy->allow_exec_set)
		json_list(out, "exec", &policy->allow_exec);
	else
		strbuf_puts(out, "\"exec\":null");
	strbuf_putc(out, ',');
	json_capabilities(policy, out);
	json_environment(&policy->env, out);
	json_limits(&policy->limits, out);
	strbuf_puts(out, "\"degrade\":[");
	for (enum guarantee guarantee = 0; guarantee < GUARANTEE_COUNT; guarantee++) {
		if (!policy->degrade[guarantee])
			continue;
		strbuf_printf(out, "%s\"%s\"", separator, guarantee_name(guarantee));
		separator = ",";
	}
	strbuf_puts(out, "]}");
}
