/* The plan for a person and for a program; see plan.h. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/plan.h"

static const char *const filter_network_names[] = {
	[PLAN_FILTER_OPEN] = "open",
	[PLAN_FILTER_LISTEN] = "listening judged",
	[PLAN_FILTER_CLOSED] = "closed but for TCP through the door",
	[PLAN_FILTER_BLOCKED] = "an empty network",
};
static_assert(ARRAY_SIZE(filter_network_names) == PLAN_FILTER_NETWORK_COUNT, "a name for each");

static const char *const stdio_kind_names[] = {
	[PLAN_STDIO_KEEP] = "kept",	     [PLAN_STDIO_REOPEN] = "reopened by path inside",
	[PLAN_STDIO_TTY] = "the terminal",   [PLAN_STDIO_PUMP] = "through a pipe",
	[PLAN_STDIO_CLOSED] = "/dev/null",
};
static_assert(ARRAY_SIZE(stdio_kind_names) == PLAN_STDIO_KIND_COUNT, "a name for each");

static const char *
tier_description(enum sandbox_tier tier)
{
	switch (tier) {
	case SANDBOX_TIER_NAMESPACES:
		return "namespaces, Landlock, seccomp, broker";
	case SANDBOX_TIER_LANDLOCK:
		return "Landlock, seccomp, broker; no namespaces";
	case SANDBOX_TIER_PORTS:
		return "Landlock and seccomp; no broker";
	}
	return "";
}

static void
explain_line(struct strbuf *out, const char *what, const char *path, const char *reason)
{
	strbuf_printf(out, "  %-10s ", what);
	strbuf_put_printable(out, path);
	if (*reason != '\0') {
		strbuf_puts(out, "  (");
		strbuf_put_printable(out, reason);
		strbuf_putc(out, ')');
	}
	strbuf_putc(out, '\n');
}

static void
explain_grants(const struct plan *plan, struct strbuf *out)
{
	size_t readable = 0;

	if (plan->landlock_abi < 1) {
		strbuf_puts(out, "\nLandlock: none on this machine\n");
		return;
	}
	strbuf_printf(out, "\nLandlock (ABI %d): beneath these only\n", plan->landlock_abi);
	for (size_t i = 0; i < plan->grants_count; i++) {
		const struct plan_grant *grant = &plan->grants[i];

		if (grant->write)
			explain_line(out, "write", grant->path, "");
		if (grant->execute)
			explain_line(out, "execute", grant->path, "");
		readable += grant->read;
	}
	/* One for each neighbour of what is hidden: a list that nobody reads. */
	if (readable > 0)
		strbuf_printf(out, "  read       %zu paths, which leave out what is hidden and /dev\n", readable);
	for (size_t i = 0; i < plan->ports_count; i++)
		strbuf_printf(out, "  connect    TCP ports %u-%u of any host\n", plan->ports[i].first,
			      plan->ports[i].last);
}

/* What is different for programs where there are no namespaces, beside what is not kept. */
static void
explain_without_namespaces(const struct plan *plan, struct strbuf *out)
{
	bool has_door = plan->tier == SANDBOX_TIER_LANDLOCK;
	bool is_open = plan->filter_network == PLAN_FILTER_OPEN;

	strbuf_puts(out, "Namespaces: none\n\nFiles: by Landlock alone; the host's as they are\n");
	for (size_t i = 0; i < plan->mounts_count; i++) {
		enum plan_mount_kind kind = plan->mounts[i].kind;

		explain_line(out, kind == PLAN_MOUNT_MASK ? "hidden" : plan_mount_kind_name(kind),
			     plan->mounts[i].path, plan->mounts[i].reason);
	}
	strbuf_puts(out, "\nIn this tier:\n"
			 "  chmod, chown, touch -d, setfattr fail everywhere, in writable paths too\n"
			 "  names in hidden directories can be listed; what is put beside them during the run cannot be read\n"
			 "  no new terminals, no /dev/shm, no System V or POSIX queues; nothing is written in /proc\n"
			 "  a socket that another program made in a writable path needs --allow-unix\n");
	if (has_door && plan->filter_network == PLAN_FILTER_CLOSED)
		strbuf_puts(out, "  no UDP; names are looked up over TCP (RES_OPTIONS=use-vc, which the GNU C library alone knows)\n");
	if (!has_door)
		strbuf_printf(out, "  no unix sockets but pairs%s\n",
			      is_open ? "" : ", no UDP, and nothing listens");
}

static void
explain_not_kept(const struct plan *plan, struct strbuf *out)
{
	const char *separator = "\nNot kept, as --degrade accepted: ";

	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		if (!plan->not_kept[i])
			continue;
		strbuf_printf(out, "%s%s", separator, guarantee_name((enum guarantee)i));
		separator = ", ";
	}
	if (*separator == ',')
		strbuf_putc(out, '\n');
}

/* Those on all processes together have a cgroup, and the others, which come first, are rlimits. */
static bool
has_rlimit(const struct plan *plan, enum limit_kind kind)
{
	return plan->limits.is_set[kind] && kind < LIMIT_MEMORY_BYTES;
}

static void
explain_limits(const struct plan *plan, struct strbuf *out)
{
	bool is_first = true;

	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		if (!has_rlimit(plan, kind))
			continue;
		strbuf_printf(out, "%s  %-10s %" PRIu64 "\n", is_first ? "\nLimits of each process\n" : "",
			      limit_name(kind), plan->limits.value[kind]);
		is_first = false;
	}
	if (plan->cgroup_path == NULL)
		return;
	strbuf_puts(out, "\nLimits of all processes together\n");
	explain_line(out, "new group", plan->cgroup_path, "below this cgroup");
	for (size_t i = 0; i < plan->cgroup_settings.count; i++)
		explain_line(out, "set", plan->cgroup_settings.items[i], "");
}

static void
explain_mounts(const struct plan *plan, struct strbuf *out)
{
	strbuf_printf(out, "Namespaces: user, mount, pid, ipc%s\n", plan->new_network ? ", network" : "");
	strbuf_printf(out, "Ids: %s\n\nMounts: everything read-only, no devices, no set-id; then\n",
		      plan->as_root ? "all, each as itself" : "only one's own");
	for (size_t i = 0; i < plan->mounts_count; i++)
		explain_line(out, plan_mount_kind_name(plan->mounts[i].kind), plan->mounts[i].path,
			     plan->mounts[i].reason);
	if (plan->watches_count > 0)
		strbuf_puts(out, "\nWatched: not there yet, or replaceable from outside\n");
	for (size_t i = 0; i < plan->watches_count; i++) {
		struct strbuf path = STRBUF_INIT;

		strbuf_printf(&path, "%s/%s", plan->watches[i].directory, plan->watches[i].name);
		explain_line(out, "watch", path.text, plan->watches[i].label);
		strbuf_done(&path);
	}
}

void
plan_explain(const struct plan *plan, struct strbuf *out)
{
	strbuf_printf(out, "Plan, in the order in which it is applied (tier %d: %s)\n\n", plan->tier,
		      tier_description(plan->tier));
	if (plan->tier == SANDBOX_TIER_NAMESPACES)
		explain_mounts(plan, out);
	else
		explain_without_namespaces(plan, out);
	explain_not_kept(plan, out);
	strbuf_puts(out, "\nDescriptors\n");
	for (size_t i = 0; i < ARRAY_SIZE(plan->stdio); i++)
		strbuf_printf(out, "  %zu          %s\n", i, stdio_kind_names[plan->stdio[i].kind]);
	explain_limits(plan, out);
	strbuf_printf(out, "\nCapabilities: %s\n",
		      plan->as_root ? "those on files and ids, over the sandbox's own" : "none");
	explain_grants(plan, out);
	strbuf_printf(out, "\nseccomp: known calls only; network: %s; user namespaces: %s\n",
		      filter_network_names[plan->filter_network],
		      plan->allow_userns ? "allowed" : "refused");
	strbuf_puts(out, "\nExecute: ");
	strbuf_put_printable(out, plan->command_path);
	strbuf_puts(out, "\n     in: ");
	strbuf_put_printable(out, plan->working_directory);
	strbuf_putc(out, '\n');
}

static void
json_field(struct strbuf *out, const char *key, const char *value)
{
	strbuf_printf(out, "\"%s\":", key);
	strbuf_put_json(out, value);
}

static void
json_mounts(const struct plan *plan, struct strbuf *out)
{
	strbuf_puts(out, "\"mounts\":[");
	for (size_t i = 0; i < plan->mounts_count; i++) {
		strbuf_puts(out, i ? ",{" : "{");
		json_field(out, "kind", plan_mount_kind_name(plan->mounts[i].kind));
		strbuf_putc(out, ',');
		json_field(out, "path", plan->mounts[i].path);
		strbuf_putc(out, ',');
		json_field(out, "reason", plan->mounts[i].reason);
		strbuf_putc(out, '}');
	}
	strbuf_puts(out, "],\"watches\":[");
	for (size_t i = 0; i < plan->watches_count; i++) {
		strbuf_puts(out, i ? ",{" : "{");
		json_field(out, "directory", plan->watches[i].directory);
		strbuf_putc(out, ',');
		json_field(out, "name", plan->watches[i].name);
		strbuf_putc(out, ',');
		json_field(out, "label", plan->watches[i].label);
		strbuf_putc(out, '}');
	}
	strbuf_putc(out, ']');
}

static void
json_grants(const struct plan *plan, struct strbuf *out)
{
	strbuf_printf(out, "\"landlock\":{\"abi\":%d,\"network\":%s,\"grants\":[", plan->landlock_abi,
		      plan->landlock_net ? "true" : "false");
	for (size_t i = 0; i < plan->grants_count; i++) {
		strbuf_puts(out, i ? ",{" : "{");
		json_field(out, "path", plan->grants[i].path);
		strbuf_printf(out, ",\"write\":%s,\"read\":%s,\"execute\":%s}",
			      plan->grants[i].write ? "true" : "false",
			      plan->grants[i].read ? "true" : "false",
			      plan->grants[i].execute ? "true" : "false");
	}
	strbuf_puts(out, "]}");
}

static void
json_limits(const struct plan *plan, struct strbuf *out)
{
	const char *separator = "";

	strbuf_puts(out, "\"rlimits\":{");
	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		if (!has_rlimit(plan, kind))
			continue;
		strbuf_printf(out, "%s\"%s\":%" PRIu64, separator, limit_name(kind),
			      plan->limits.value[kind]);
		separator = ",";
	}
	strbuf_puts(out, "},\"cgroup\":");
	if (plan->cgroup_path == NULL) {
		strbuf_puts(out, "null");
		return;
	}
	strbuf_puts(out, "{\"parent\":");
	strbuf_put_json(out, plan->cgroup_path);
	strbuf_puts(out, ",\"settings\":[");
	for (size_t i = 0; i < plan->cgroup_settings.count; i++) {
		strbuf_puts(out, i ? "," : "");
		strbuf_put_json(out, plan->cgroup_settings.items[i]);
	}
	strbuf_puts(out, "]}");
}

static void
json_not_kept(const struct plan *plan, struct strbuf *out)
{
	const char *separator = "";

	strbuf_puts(out, ",\"not_kept\":[");
	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		if (!plan->not_kept[i])
			continue;
		strbuf_printf(out, "%s\"%s\"", separator, guarantee_name((enum guarantee)i));
		separator = ",";
	}
	strbuf_putc(out, ']');
}

void
plan_explain_json(const struct plan *plan, struct strbuf *out)
{
	strbuf_printf(out, "{\"tier\":%d,\"root\":%s,\"network_namespace\":%s,\"user_namespaces\":%s,",
		      plan->tier, plan->as_root ? "true" : "false",
		      plan->new_network ? "true" : "false", plan->allow_userns ? "true" : "false");
	json_mounts(plan, out);
	strbuf_puts(out, ",\"descriptors\":[");
	for (size_t i = 0; i < ARRAY_SIZE(plan->stdio); i++) {
		strbuf_puts(out, i ? "," : "");
		strbuf_put_json(out, stdio_kind_names[plan->stdio[i].kind]);
	}
	strbuf_puts(out, "],");
	json_limits(plan, out);
	strbuf_putc(out, ',');
	json_grants(plan, out);
	json_not_kept(plan, out);
	strbuf_puts(out, ",\"seccomp\":{");
	json_field(out, "network", filter_network_names[plan->filter_network]);
	strbuf_puts(out, "},");
	json_field(out, "command", plan->command_path);
	strbuf_puts(out, ",\"arguments\":[");
	for (size_t i = 0; i < plan->argv.count; i++) {
		strbuf_puts(out, i ? "," : "");
		strbuf_put_json(out, plan->argv.items[i]);
	}
	strbuf_puts(out, "],");
	json_field(out, "working_directory", plan->working_directory);
	strbuf_putc(out, '}');
}
