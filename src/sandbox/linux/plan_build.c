/*
 * Makes the plan of a native run on Linux; see sandbox_plan() in sandbox.h.
 *
 * The order of the mounts is the order of decisions: what is hidden, what is
 * mounted (parents before children), devices, what is protected inside the
 * mounts, masks over whatever reaches a secret, and the new /proc at the end.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/command_path.h"
#include "sandbox/linux/cgroup.h"
#include "sandbox/linux/exec_list.h"
#include "sandbox/linux/mount_table.h"
#include "sandbox/linux/plan_landlock.h"
#include "sandbox/linux/plan_own.h"
#include "sandbox/linux/plan_paths.h"
#include "sandbox/missing.h"
#include "sandbox/sandbox.h"
#include "util/mem.h"
#include "util/path.h"

/* Devices that give nothing away and keep nothing: what /dev holds in a container. */
static const char *const harmless_devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

/* Trees of the operating system, readable under --read listed. */
static const char *const system_directories[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc",
	"/opt", "/nix", "/gnu", "/sys", "/dev",
};

/* Settings of the whole machine that uid 0 may write, in /proc; what container engines make read-only. */
static const char *const root_read_only[] = {
	"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus",	 "/proc/fs",
	"/proc/acpi", "/proc/scsi",	    "/proc/driver", "/proc/mtrr", "/proc/latency_stats",
};

/* Memory and state of the kernel that uid 0 may read, in /proc. */
static const char *const root_masked[] = {
	"/proc/kcore", "/proc/kpagecount", "/proc/kpageflags", "/proc/kpagecgroup",
	"/proc/timer_list", "/proc/sched_debug",
};

/* Where a -v mount cannot be: these trees are the sandbox's own. */
static const char *const reserved_directories[] = { "/proc", "/sys", "/dev" };

struct mount_request {
	char *path;
	struct plan_inode inode;
	bool read_only;
	bool is_tmp; /* not asked for: nothing in it is protected */
	char *reason;
};

struct requests {
	struct mount_request *items;
	size_t count;
	size_t capacity;
};

struct builder {
	const struct policy *policy;
	const struct machine *machine;
	struct plan *plan;
	struct plan_homes homes;
	struct mount_table table; /* the host's */
	struct requests requests;
	struct missing missing;
};

static void
builder_done(struct builder *builder)
{
	for (size_t i = 0; i < builder->requests.count; i++) {
		free(builder->requests.items[i].path);
		free(builder->requests.items[i].reason);
	}
	free(builder->requests.items);
	missing_done(&builder->missing);
	plan_homes_done(&builder->homes);
	mount_table_done(&builder->table);
}

static void
add_request(struct requests *requests, const char *path, const struct stat *st, bool read_only,
	    const char *reason)
{
	/* A path given twice is one mount; read-only is the safer reading of a contradiction. */
	for (size_t i = 0; i < requests->count; i++) {
		if (str_equal(requests->items[i].path, path)) {
			requests->items[i].read_only |= read_only;
			return;
		}
	}
	MEM_GROW(requests->items, requests->capacity, requests->count);
	requests->items[requests->count++] = (struct mount_request){
		.path = mem_strdup(path),
		.inode = plan_inode_of(st),
		.read_only = read_only,
		.reason = mem_strdup(reason),
	};
}

static int
check_mount_path(const struct builder *builder, const struct policy_mount *mount,
		 const char *path, const struct stat *st, struct error *err)
{
	if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
		return error_set(err, -EINVAL, "-v %s: it is neither a directory nor a regular file",
				 mount->text);
	if (str_equal(path, "/"))
		return error_set(err, -EINVAL,
				 "-v %s: the root directory cannot be mounted; name the directories that the command needs",
				 mount->text);
	for (size_t i = 0; i < ARRAY_SIZE(reserved_directories); i++) {
		if (path_is_beneath(path, reserved_directories[i]))
			return error_set(err, -EINVAL, "-v %s: nothing below %s can be mounted",
					 mount->text, reserved_directories[i]);
	}
	for (size_t i = 0; i < builder->homes.own.count; i++) {
		_cleanup_free_ char *ssh = path_join(builder->homes.own.items[i], ".ssh");
		_cleanup_free_ char *gnupg = path_join(builder->homes.own.items[i], ".gnupg");

		if (path_is_beneath(path, ssh) || path_is_beneath(path, gnupg))
			return error_set(err, -EINVAL,
					 "-v %s: ~/.ssh and ~/.gnupg are never readable in a sandbox",
					 mount->text);
	}
	return 0;
}

static int
collect_mounts(struct builder *builder, struct error *err)
{
	const struct policy *policy = builder->policy;

	for (size_t i = 0; i < policy->mounts_count; i++) {
		const struct policy_mount *mount = &policy->mounts[i];
		_cleanup_free_ char *reason = mem_printf("-v %s", mount->text);
		_cleanup_free_ char *path = NULL;
		struct stat st;
		int r;

		r = plan_path_resolve(mount->host, &builder->homes, &path, &st, err);
		if (r < 0)
			return error_wrap(err, -EINVAL, "-v %s", mount->text);
		r = check_mount_path(builder, mount, path, &st, err);
		if (r < 0)
			return r;
		add_request(&builder->requests, path, &st, mount->read_only, reason);
	}
	return 0;
}

/* /tmp is writable in every sandbox, unless -v says otherwise. */
static void
collect_tmp(struct builder *builder)
{
	struct requests *requests = &builder->requests;
	char path[PATH_MAX];
	size_t before = requests->count;
	struct stat st;

	if (realpath("/tmp", path) == NULL || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    str_equal(path, "/"))
		return;
	add_request(requests, path, &st, false, "/tmp");
	if (requests->count > before)
		requests->items[before].is_tmp = true;
}

/* By components, so that a parent comes before what is below it: "/" sorts before every other byte. */
static int
compare_requests(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)((const struct mount_request *)a)->path;
	const unsigned char *y = (const unsigned char *)((const struct mount_request *)b)->path;

	while (*x != '\0' && *x == *y) {
		x++;
		y++;
	}
	if (*x == '/' || *y == '/')
		return *x == '\0' || (*x == '/' && *y != '\0') ? -1 : 1;
	return (int)*x - (int)*y;
}

static bool
is_listed(const struct builder *builder)
{
	return builder->policy->read_mode == READ_MODE_LISTED;
}

/* A read-only mount changes nothing where everything is read-only and in sight already. */
static bool
is_needed(const struct builder *builder, size_t index)
{
	const struct mount_request *request = &builder->requests.items[index];

	if (!request->read_only || builder->policy->read_mode != READ_MODE_OPEN)
		return true;
	for (size_t i = 0; i < index; i++) {
		if (path_is_beneath(request->path, builder->requests.items[i].path))
			return true;
	}
	return false;
}

/* What is read-only in a writable directory could be moved away with its parent, and another put in its place. */
static void
pin_parents(struct plan *plan, const char *path)
{
	_cleanup_free_ char *parent = path_dirname(path);

	if (!plan_is_in_writable(plan, parent))
		return;
	pin_parents(plan, parent);
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (str_equal(plan->mounts[i].path, parent))
			return;
	}
	plan_add_mount(plan, PLAN_MOUNT_PIN, parent, "above what is read-only")->inode =
	    plan_inode_at(parent);
}

static void
add_requests(struct builder *builder)
{
	for (size_t i = 0; i < builder->requests.count; i++) {
		const struct mount_request *request = &builder->requests.items[i];
		enum plan_mount_kind kind = request->read_only ? PLAN_MOUNT_READ_ONLY
							       : PLAN_MOUNT_WRITABLE;

		if (request->read_only)
			pin_parents(builder->plan, request->path);
		if (is_needed(builder, i))
			plan_add_mount(builder->plan, kind, request->path, request->reason)->inode =
			    request->inode;
		if (!request->read_only)
			plan_add_grant(builder->plan, request->path)->write = true;
	}
}

static void
add_read_only_if_there(struct plan *plan, const char *path, const char *reason)
{
	struct plan_inode inode = plan_inode_at(path);

	if (inode.type == S_IFDIR || inode.type == S_IFREG)
		plan_add_mount(plan, PLAN_MOUNT_READ_ONLY, path, reason)->inode = inode;
}

/* --read listed: a new root that holds the system's directories and nothing else. */
static void
add_system_directories(struct plan *plan)
{
	plan_add_mount(plan, PLAN_MOUNT_EMPTY, "/", "--read listed");
	for (size_t i = 0; i < ARRAY_SIZE(system_directories); i++) {
		const char *path = system_directories[i];
		char target[PATH_MAX];
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			plan_add_mount(plan, PLAN_MOUNT_SYMLINK, path, "system")->text =
			    mem_strdup(target);
		} else {
			add_read_only_if_there(plan, path, "system");
		}
	}
}

/* Adds the trees and every other path that shows one or a part of it. */
static int
list_aliases(const struct mount_table *table, const struct strv *trees, struct strv *ret_paths,
	     struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < trees->count; i++)
		r = mount_table_aliases(table, trees->items[i], MOUNT_TABLE_PARTS, ret_paths, err);
	return r;
}

/* The home by another path, or a part of it: nothing is left there. */
static void
hide_alias(struct plan *plan, const char *path)
{
	struct plan_inode inode = plan_inode_at(path);
	enum plan_mount_kind kind = inode.type == S_IFDIR ? PLAN_MOUNT_EMPTY : PLAN_MOUNT_MASK;

	if (inode.number != 0)
		plan_add_mount(plan, kind, path, "--read home-hidden")->inode = inode;
}

/* --read home-hidden: an empty home that holds the tool chains and nothing else. */
static int
hide_homes(struct builder *builder, struct error *err)
{
	struct strv paths = STRV_INIT;
	int r = list_aliases(&builder->table, &builder->homes.own, &paths, err);

	for (size_t i = 0; i < paths.count; i++) {
		if (!strv_contains(&builder->homes.own, paths.items[i]))
			hide_alias(builder->plan, paths.items[i]);
	}
	strv_done(&paths);
	for (size_t i = 0; i < builder->homes.own.count; i++) {
		const char *home = builder->homes.own.items[i];

		plan_add_mount(builder->plan, PLAN_MOUNT_EMPTY, home, "--read home-hidden")->inode =
		    plan_inode_at(home);
		for (size_t j = 0; policy_toolchain_paths[j] != NULL; j++) {
			_cleanup_free_ char *path = path_join(home, policy_toolchain_paths[j]);
			char resolved[PATH_MAX];

			if (realpath(path, resolved) != NULL && str_equal(path, resolved))
				add_read_only_if_there(builder->plan, path, "tool chain");
		}
	}
	return r;
}

static void
add_devices(struct plan *plan)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless_devices); i++) {
		const char *path = harmless_devices[i];
		struct plan_inode inode = plan_inode_at(path);

		if (inode.type != S_IFCHR)
			continue;
		plan_add_mount(plan, PLAN_MOUNT_DEVICE, path, "harmless device")->inode = inode;
		plan_add_grant(plan, path)->write = true;
	}
	if (plan_inode_at("/dev/pts").type == S_IFDIR) {
		plan_add_mount(plan, PLAN_MOUNT_DEVPTS, "/dev/pts", "private");
		plan_add_grant(plan, "/dev/pts")->write = true;
		plan_add_grant(plan, "/dev/ptmx")->write = true;
	}
	if (plan_inode_at("/dev/shm").type == S_IFDIR) {
		plan_add_mount(plan, PLAN_MOUNT_TMPFS, "/dev/shm", "private");
		plan_add_grant(plan, "/dev/shm")->write = true;
	}
}

/* The lower tiers: the host's own /dev, of which nothing else is granted. */
static void
grant_devices(struct plan *plan)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless_devices); i++) {
		struct plan_inode inode = plan_inode_at(harmless_devices[i]);
		struct plan_grant *grant;

		if (inode.type != S_IFCHR)
			continue;
		grant = plan_add_grant(plan, harmless_devices[i]);
		grant->inode = inode;
		grant->write = grant->read = true;
	}
}

static void
add_resolved(struct strv *list, const char *path)
{
	char resolved[PATH_MAX];

	if (realpath(path, resolved) != NULL && !strv_contains(list, resolved))
		strv_add(list, resolved);
}

/* --read home-hidden in the lower tiers. */
static int
list_toolchains(const struct builder *builder, struct strv *ret_readable, struct strv *ret_unreadable,
		struct error *err)
{
	const struct strv *homes = &builder->homes.own;

	for (size_t i = 0; i < homes->count; i++) {
		for (size_t j = 0; policy_toolchain_paths[j] != NULL; j++) {
			_cleanup_free_ char *path = path_join(homes->items[i], policy_toolchain_paths[j]);
			char resolved[PATH_MAX];

			if (realpath(path, resolved) != NULL && str_equal(path, resolved))
				strv_add(ret_readable, path);
		}
	}
	return list_aliases(&builder->table, homes, ret_unreadable, err);
}

/* The lower tiers: what may be read. `ret_unreadable` is left out of trees that begin above it. */
static int
list_readable(const struct builder *builder, struct strv *ret_readable, struct strv *ret_unreadable,
	      struct error *err)
{
	strv_add(ret_unreadable, "/dev");
	if (is_listed(builder)) {
		for (size_t i = 0; i < ARRAY_SIZE(system_directories); i++)
			add_resolved(ret_readable, system_directories[i]);
		add_resolved(ret_readable, "/proc");
		add_resolved(ret_readable, "/etc/resolv.conf");
		return 0;
	}
	strv_add(ret_readable, "/");
	if (builder->policy->read_mode == READ_MODE_HOME_HIDDEN)
		return list_toolchains(builder, ret_readable, ret_unreadable, err);
	return 0;
}

/* Turns the plan into one without mounts. */
static int
plan_without_mounts(struct builder *builder, struct error *err)
{
	struct strv readable = STRV_INIT;
	struct strv unreadable = STRV_INIT;
	int r;

	grant_devices(builder->plan);
	r = list_readable(builder, &readable, &unreadable, err);
	if (r == 0)
		plan_landlock(builder->plan, &readable, &unreadable, &builder->missing);
	if (r == 0 && builder->plan->tier == SANDBOX_TIER_PORTS)
		r = plan_ports(builder->plan, builder->policy, &builder->missing, err);
	strv_done(&readable);
	strv_done(&unreadable);
	return r;
}

static int
protect_mounts(struct builder *builder, struct error *err)
{
	struct strv explicit_paths = STRV_INIT;
	struct strv writable = STRV_INIT;
	int r;

	for (size_t i = 0; i < builder->requests.count; i++) {
		const struct mount_request *request = &builder->requests.items[i];

		if (request->is_tmp)
			continue;
		strv_add(&explicit_paths, request->path);
		if (!request->read_only && request->inode.type == S_IFDIR)
			strv_add(&writable, request->path);
	}
	r = protect_plan_mounts(builder->plan, builder->policy, &writable, &explicit_paths, err);
	strv_done(&explicit_paths);
	strv_done(&writable);
	for (size_t i = 0; r == 0 && i < builder->homes.own.count; i++)
		protect_plan_absent_home(builder->plan, builder->homes.own.items[i]);
	if (r == 0)
		r = plan_own(builder->plan, &builder->homes, &builder->table, err);
	if (r == 0 && builder->policy->project_file != NULL &&
	    !policy_allows_protected(builder->policy, "porta.toml"))
		protect_plan_project_file(builder->plan, builder->policy->project_file);
	return r;
}

/* Where what was taken away is kept: below porta's data directory (XDG Base Directory Specification). */
static void
set_quarantine_path(struct builder *builder)
{
	const char *data = getenv("XDG_DATA_HOME");
	_cleanup_free_ char *below_home = NULL;

	if (builder->plan->watches_count == 0)
		return;
	if (data == NULL || data[0] != '/') {
		if (builder->homes.own.count == 0)
			return;
		below_home = path_join(builder->homes.own.items[0], ".local/share");
		data = below_home;
	}
	builder->plan->quarantine_path = path_join(data, "porta/quarantine");
}

/* The new /proc, and for root what in it is not the sandbox's own. Inodes there are not known yet. */
static void
add_proc(struct plan *plan)
{
	plan_add_mount(plan, PLAN_MOUNT_PROC, "/proc", "processes of the sandbox");
	plan_add_grant(plan, "/proc")->write = true;
	if (!plan->as_root)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(root_read_only); i++) {
		if (plan_inode_at(root_read_only[i]).number != 0)
			plan_add_mount(plan, PLAN_MOUNT_READ_ONLY, root_read_only[i], "root");
	}
	for (size_t i = 0; i < ARRAY_SIZE(root_masked); i++) {
		if (plan_inode_at(root_masked[i]).number != 0)
			plan_add_mount(plan, PLAN_MOUNT_MASK, root_masked[i], "root");
	}
}

/* A rule that denies closes an open network too: what it says of datagrams, the broker could not judge. */
static enum plan_filter_network
filter_network(const struct policy *policy)
{
	if (policy->net_mode == NET_MODE_BLOCKED)
		return PLAN_FILTER_BLOCKED;
	if (policy_network_is_closed(policy))
		return PLAN_FILTER_CLOSED;
	return policy->net_mode == NET_MODE_OUTBOUND ? PLAN_FILTER_LISTEN : PLAN_FILTER_OPEN;
}

/* What the first tier alone has: a root and a home of the plan's making, and a /dev. */
static int
add_own_trees(struct builder *builder, struct error *err)
{
	if (is_listed(builder))
		add_system_directories(builder->plan);
	else if (builder->policy->read_mode == READ_MODE_HOME_HIDDEN)
		return hide_homes(builder, err);
	return 0;
}

static int
plan_filesystem(struct builder *builder, struct error *err)
{
	bool has_mounts = builder->plan->tier == SANDBOX_TIER_NAMESPACES;
	int r;

	r = collect_mounts(builder, err);
	if (r < 0)
		return r;
	collect_tmp(builder);
	qsort(builder->requests.items, builder->requests.count, sizeof(*builder->requests.items),
	      compare_requests);
	r = mount_table_read("/proc/self/mountinfo", &builder->table, err);
	if (r == 0 && has_mounts)
		r = add_own_trees(builder, err);
	if (r < 0)
		return r;
	add_requests(builder);
	if (has_mounts)
		add_devices(builder->plan);
	r = protect_mounts(builder, err);
	if (r < 0)
		return r;
	set_quarantine_path(builder);
	r = plan_hide(builder->plan, builder->policy, &builder->homes, &builder->table, err);
	if (r < 0)
		return r;
	if (!has_mounts)
		return plan_without_mounts(builder, err);
	add_proc(builder->plan);
	return 0;
}

/* Limits on all processes together: a cgroup is looked for only where they are asked for. */
static void
plan_limits(struct builder *builder)
{
	struct plan *plan = builder->plan;
	struct error why = ERROR_INIT;
	int r;

	if (plan->limits.is_set[LIMIT_PROCESSES] && plan->as_root)
		missing_add(&builder->missing, GUARANTEE_LIMITS,
			    "the kernel does not hold root to --limit nproc; --limit pids holds");
	cgroup_add_settings(&plan->limits, &plan->cgroup_settings);
	if (plan->cgroup_settings.count == 0)
		return;
	r = cgroup_find("/proc/self", &plan->cgroup_settings, &plan->cgroup_path, &why);
	if (r == 0)
		return;
	strv_done(&plan->cgroup_settings);
	error_wrap(&why, r, "--limit memory, pids and cpus need a delegated cgroup v2");
	missing_add(&builder->missing, GUARANTEE_LIMITS, why.message);
}

/* Whether the machine alone tells if it is kept, and the policy asks for it. */
static bool
is_of_machine(const struct policy *policy, enum guarantee guarantee)
{
	switch (guarantee) {
	case GUARANTEE_EXEC:
		return policy->allow_exec_set;
	/* In the lower tiers these were judged with the plan; limits always are. */
	case GUARANTEE_LIMITS:
	case GUARANTEE_PROTECTED:
	case GUARANTEE_NETWORK:
		return false;
	default:
		return true;
	}
}

/* What the policy asks and this machine lacks ends here, unless --degrade accepts it. */
static int
check_guarantees(struct builder *builder, struct error *err)
{
	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		struct machine_verdict verdict;

		if (!is_of_machine(builder->policy, (enum guarantee)i))
			continue;
		machine_judge(builder->machine, (enum guarantee)i, &verdict);
		if (!verdict.holds)
			missing_add(&builder->missing, (enum guarantee)i, verdict.why);
	}
	return missing_check(&builder->missing, builder->policy, builder->machine, builder->plan, err);
}

static void
set_facts(struct builder *builder)
{
	const struct policy *policy = builder->policy;
	struct plan *plan = builder->plan;

	plan->as_root = builder->machine->uid == 0;
	plan->tier = machine_tier(builder->machine);
	plan->new_network = policy->net_mode == NET_MODE_BLOCKED &&
			    plan->tier == SANDBOX_TIER_NAMESPACES;
	plan->allow_userns = policy->allow_userns;
	plan->filter_network = filter_network(policy);
	plan->landlock_abi = builder->machine->landlock_abi;
	plan->wait_killable = builder->machine->seccomp_wait_killable;
	plan->landlock_net = plan->filter_network != PLAN_FILTER_OPEN && !plan->new_network;
	plan->landlock_execute = policy->allow_exec_set;
	plan->limits = policy->limits;
}

static int
set_working_directory(struct plan *plan, struct error *err)
{
	char path[PATH_MAX];

	if (getcwd(path, sizeof(path)) == NULL)
		return error_set_errno(err, -EINVAL, "the working directory is not there any more");
	plan->working_directory = mem_strdup(path);
	return 0;
}

int
sandbox_plan(const struct policy *policy, const struct sandbox_command *command,
	     const struct machine *machine, struct plan *ret_plan, struct error *err)
{
	_cleanup_(builder_done) struct builder builder = {
		.policy = policy, .machine = machine, .plan = ret_plan
	};
	int r;

	set_facts(&builder);
	plan_limits(&builder);
	r = command_path_find(command->name, command->environment, &ret_plan->command_path, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < command->argv->count; i++)
		strv_add(&ret_plan->argv, command->argv->items[i]);
	for (size_t i = 0; i < command->environment->count; i++)
		strv_add(&ret_plan->environment, command->environment->items[i]);
	r = set_working_directory(ret_plan, err);
	if (r < 0)
		return r;
	plan_homes_find(machine->uid, &builder.homes);
	r = plan_filesystem(&builder, err);
	if (r == 0 && policy->allow_exec_set)
		r = exec_list_grant(ret_plan, &policy->allow_exec, err);
	return r < 0 ? r : check_guarantees(&builder, err);
}
