/* The policy as a whole: its life, and what concerns several flags at once; see policy.h. */
#include "policy/policy.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"
#include "util/path.h"

void
policy_init(struct policy *policy)
{
	*policy = (struct policy){ .net_mode = NET_MODE_FULL, .read_mode = READ_MODE_OPEN };
}

void
policy_done(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; i < policy->mounts_count; i++) {
		free(policy->mounts[i].host);
		free(policy->mounts[i].guest);
		free(policy->mounts[i].written);
		free(policy->mounts[i].text);
	}
	free(policy->mounts);
	strv_done(&policy->deny_read);
	strv_done(&policy->allow_protected);
	strv_done(&policy->allow_unix);
	strv_done(&policy->allow_exec);
	net_rules_done(&policy->allow_net);
	net_rules_done(&policy->deny_net);
	net_rules_done(&policy->allow_bind);
	env_request_done(&policy->env);
	free(policy->project_file);
	policy_init(policy);
}

static bool
has_name_rule(const struct net_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->items[i].kind == NET_HOST_NAME ||
		    rules->items[i].kind == NET_HOST_SUFFIX)
			return true;
	}
	return false;
}

static int
check_bind(const struct policy *policy, struct error *err)
{
	const struct net_rules *rules = &policy->allow_bind;

	if (rules->count == 0)
		return 0;
	if (policy->net_mode == NET_MODE_FULL)
		return error_set(err, -EINVAL,
				 "--allow-bind %s has nothing to open, the network is: drop it, or "
				 "limit listening by --net outbound or --allow-net",
				 rules->items[0].text);
	if (policy->net_mode != NET_MODE_OUTBOUND && policy->net_mode != NET_MODE_RULES)
		return error_set(err, -EINVAL,
				 "--allow-bind and --net %s exclude each other: drop one of them, "
				 "or write --net outbound",
				 net_mode_name(policy->net_mode));
	for (size_t i = 0; i < rules->count; i++) {
		const struct net_rule *rule = &rules->items[i];

		if (rule->kind == NET_HOST_NAME || rule->kind == NET_HOST_SUFFIX)
			return error_set(
			    err, -EINVAL,
			    "--allow-bind %s: a program listens on an address, not a "
			    "name; write \"0.0.0.0:8080\", \"[::]:8080\" or \"*:8080\"",
			    rule->text);
	}
	return 0;
}

int
policy_finish(struct policy *policy, struct error *err)
{
	if (policy->allow_net.count > 0) {
		if (policy->net_mode_set)
			return error_set(err, -EINVAL,
					 "--allow-net and --net %s exclude each other: --allow-net "
					 "closes the network but for its rules, so drop --net %s, "
					 "or drop --allow-net %s",
					 net_mode_name(policy->net_mode),
					 net_mode_name(policy->net_mode),
					 policy->allow_net.items[0].text);
		policy->net_mode = NET_MODE_RULES;
	}
	if (policy->allow_private && !has_name_rule(&policy->allow_net))
		return error_set(err, -EINVAL,
				 "--allow-private lets names lead to private addresses, and no "
				 "--allow-net has a name: drop it, or add one, as in --allow-net "
				 "\"db.example.com:5432\"");
	return check_bind(policy, err);
}

int
policy_check_native(const struct policy *policy, struct error *err)
{
	for (size_t i = 0; i < policy->mounts_count; i++) {
		const struct policy_mount *mount = &policy->mounts[i];
		_cleanup_free_ char *host = path_normalize("/", mount->host);
		_cleanup_free_ char *guest = path_normalize("/", mount->guest ? mount->guest : "/");

		if (mount->guest == NULL || (mount->host[0] == '/' && str_equal(host, guest)))
			continue;
		return error_set(err, -EINVAL,
				 "-v %s: a native command sees every directory at its own path, so "
				 "write \"-v %s%s\"; another path is for WASM agents",
				 mount->text, mount->host, mount->read_only ? ":ro" : "");
	}
	if (policy->capabilities_flag != NULL)
		return error_set(err, -EINVAL,
				 "%s grants a WASM agent what it may import: for a native command "
				 "write -v, --net or --allow-exec",
				 policy->capabilities_flag);
	if (policy->limits.step_limit > 0)
		return error_set(err, -EINVAL,
				 "--step-limit counts the instructions of a WASM agent: for a "
				 "native command write \"--timeout 30s\" or \"--limit cpu=30\"");
	if (policy->limits.max_memory_pages > 0)
		return error_set(err, -EINVAL,
				 "--max-memory counts the pages of a WASM agent: for a native "
				 "command write \"--limit memory=512M\"");
	if (policy->limits.max_output_bytes > 0)
		return error_set(err, -EINVAL,
				 "--max-output is for WASM agents: for a native command write "
				 "\"| head -c 10M\" behind it");
	return 0;
}

bool
policy_network_is_closed(const struct policy *policy)
{
	return policy->deny_net.count > 0 ||
	       (policy->net_mode != NET_MODE_FULL && policy->net_mode != NET_MODE_OUTBOUND);
}

bool
policy_listening_is_limited(const struct policy *policy)
{
	return policy->net_mode != NET_MODE_FULL;
}

/*
 * The length of the start of `path` that `pattern` matches, whole components of both;
 * 0 if none. "*" in a pattern is any one component.
 */
static size_t
match_components(const char *pattern, const char *path)
{
	const char *start = path;

	for (;;) {
		size_t n = strcspn(pattern, "/");
		size_t m = strcspn(path, "/");
		bool is_any = n == 1 && *pattern == '*';

		if (m == 0 || (!is_any && (n != m || strncmp(pattern, path, n) != 0)))
			return 0;
		pattern += n;
		path += m;
		if (*pattern == '\0')
			return (size_t)(path - start);
		if (*path == '\0')
			return 0;
		pattern++;
		path++;
	}
}

/* "./.claude/" is ".claude". */
static char *
plain_name(const char *name)
{
	_cleanup_free_ char *absolute = path_normalize("/", name);

	return mem_strdup(absolute + 1);
}

int
policy_add_allow_protected(struct policy *policy, const char *name, struct error *err)
{
	_cleanup_free_ char *plain = name != NULL ? plain_name(name) : NULL;
	const char *nearest;

	if (name == NULL) {
		policy->allow_protected_all = true;
		return 0;
	}
	if (policy->allow_protected.count >= POLICY_PATHS_MAX)
		return error_set(err, -E2BIG, "at most %d names", POLICY_PATHS_MAX);
	if (match_components(".ssh", plain) > 0 || match_components(".gnupg", plain) > 0)
		return error_set(err, -EINVAL, "no flag makes ~/.ssh and ~/.gnupg readable or writable");
	for (const char *const *known = policy_protected_names; *known != NULL; known++) {
		if (match_components(*known, plain) > 0) {
			strv_take(&policy->allow_protected, TAKE_PTR(plain));
			return 0;
		}
	}
	nearest = str_nearest(plain, policy_protected_names);
	return error_set(err, -EINVAL,
			 "\"%s\" is not a protected name: write one such as \"%s\"; porta explain "
			 "lists them",
			 name, nearest != NULL ? nearest : ".git/config");
}

bool
policy_allows_protected(const struct policy *policy, const char *name)
{
	if (policy->allow_protected_all)
		return true;
	for (size_t i = 0; i < policy->allow_protected.count; i++) {
		if (match_components(policy->allow_protected.items[i], name) > 0)
			return true;
	}
	return false;
}
