/* Limits by cgroup v2; see cgroup.h. */
#include "sandbox/linux/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/linux/mount_table.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define SUPERVISOR_PREFIX "porta-supervisor-"
#define RUN_PREFIX	  "porta-run-"
#define GROUP_NAME_BYTES  64

/* Of a file in /proc or in a group; a group of more processes than this is surely not porta's
 * alone. */
#define SMALL_FILE_MAX_BYTES 65536

#define CPU_PERIOD_US 100000

void
cgroup_add_settings(const struct policy_limits *limits, struct strv *settings)
{
	if (limits->is_set[LIMIT_MEMORY_BYTES]) {
		strv_take(settings,
			  mem_printf("memory.max %" PRIu64, limits->value[LIMIT_MEMORY_BYTES]));
		strv_add(settings, "memory.swap.max 0");
		/* One process killed out of many leaves a tree that nobody has tested. */
		strv_add(settings, "memory.oom.group 1");
	}
	if (limits->is_set[LIMIT_TASKS])
		strv_take(settings, mem_printf("pids.max %" PRIu64, limits->value[LIMIT_TASKS]));
	if (limits->is_set[LIMIT_CPU_MILLI])
		strv_take(settings,
			  mem_printf("cpu.max %" PRIu64 " %d",
				     limits->value[LIMIT_CPU_MILLI] * (CPU_PERIOD_US / 1000),
				     CPU_PERIOD_US));
}

/* The controllers of the settings: each file is named CONTROLLER.WHAT. */
static void
list_controllers(const struct strv *settings, struct strv *controllers)
{
	for (size_t i = 0; i < settings->count; i++) {
		const char *setting = settings->items[i];
		_cleanup_free_ char *name = mem_strndup(setting, strcspn(setting, "."));

		if (!strv_contains(controllers, name))
			strv_add(controllers, name);
	}
}

/* Reads a file of a group without the newline at its end. */
static int
read_small(int directory_fd, const char *name, char **ret_text)
{
	int r = fd_read_file_at(directory_fd, name, SMALL_FILE_MAX_BYTES, ret_text, NULL);

	if (r == 0 && str_ends_with(*ret_text, "\n"))
		(*ret_text)[strlen(*ret_text) - 1] = '\0';
	return r;
}

static int
write_small(int directory_fd, const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(directory_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* The "0::PATH" line of /proc/self/cgroup, cgroups(7); the other lines are of version 1. */
static int
read_own_name(const char *proc_self, char **ret_name, struct error *err)
{
	_cleanup_free_ char *path = path_join(proc_self, "cgroup");
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;

	if (read_small(AT_FDCWD, path, &text) < 0)
		return error_set(err, -EOPNOTSUPP, "the kernel has no cgroups");
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		/* "/.." leads out of the cgroup namespace. */
		if (str_starts_with(line, "0::/") && !str_starts_with(line, "0::/..")) {
			*ret_name = mem_strdup(line + strlen("0::"));
			return 0;
		}
	}
	return error_set(err, -EOPNOTSUPP, "porta is in no cgroup of version 2");
}

/* Where the group `name` is visible: through the last mount of cgroup2 that reaches it. */
static int
find_group(const char *proc_self, const char *name, char **ret_path, struct error *err)
{
	_cleanup_free_ char *mountinfo = path_join(proc_self, "mountinfo");
	struct mount_table table;
	int r;

	r = mount_table_read(mountinfo, &table, err);
	if (r < 0)
		return r;
	r = -EOPNOTSUPP;
	for (size_t i = table.count; r < 0 && i > 0; i--) {
		const struct mount_entry *entry = &table.entries[i - 1];
		_cleanup_free_ char *joined = NULL;

		if (!str_equal(entry->type, "cgroup2") || !path_is_beneath(name, entry->root))
			continue;
		joined = path_join(entry->point,
				   name + (str_equal(entry->root, "/") ? 0 : strlen(entry->root)));
		*ret_path = path_normalize("/", joined);
		r = 0;
	}
	mount_table_done(&table);
	return r < 0 ? error_set(err, r,
				 "no cgroup v2 file system is mounted that shows porta's group")
		     : 0;
}

static bool
has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; *p != '\0'; p += strcspn(p, " "), p += strspn(p, " ")) {
		if (strncmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
			return true;
	}
	return false;
}

static int
check_controllers(int group_fd, const char *path, const struct strv *settings, struct error *err)
{
	_cleanup_free_ char *available = NULL;
	struct strv controllers = STRV_INIT;
	int r;

	r = read_small(group_fd, "cgroup.controllers", &available);
	if (r < 0)
		return error_set_errno(err, -EOPNOTSUPP, "%s/cgroup.controllers cannot be read",
				       path);
	list_controllers(settings, &controllers);
	for (size_t i = 0; r == 0 && i < controllers.count; i++) {
		if (!has_word(available, controllers.items[i]))
			r = error_set(err, -EOPNOTSUPP, "the cgroup %s has no controller \"%s\"",
				      path, controllers.items[i]);
	}
	strv_done(&controllers);
	return r;
}

static int
check_writable(int group_fd, const char *path, struct error *err)
{
	static const char *const names[] = { ".", "cgroup.procs", "cgroup.subtree_control" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (faccessat(group_fd, names[i], W_OK, AT_EACCESS) < 0)
			return error_set(err, -EOPNOTSUPP,
					 "the cgroup %s is not delegated to this user (%s)", path,
					 strerror(errno));
	}
	return 0;
}

/* Only the root, which has no type, may hold processes and give controllers to its children. */
static int
check_alone(int group_fd, const char *path, struct error *err)
{
	_cleanup_free_ char *own = mem_printf("%d", getpid());
	_cleanup_free_ char *processes = NULL;
	char *rest = NULL;
	int r;

	if (faccessat(group_fd, "cgroup.type", F_OK, 0) < 0)
		return 0;
	r = read_small(group_fd, "cgroup.procs", &processes);
	if (r < 0)
		return error_set(err, -EOPNOTSUPP, "%s/cgroup.procs cannot be read", path);
	for (char *pid = strtok_r(processes, "\n", &rest); pid != NULL;
	     pid = strtok_r(NULL, "\n", &rest)) {
		if (!str_equal(pid, own))
			return error_set(
			    err, -EOPNOTSUPP,
			    "porta is not alone in the cgroup %s: process %s is in it too", path,
			    pid);
	}
	return 0;
}

int
cgroup_find(const char *proc_self, const struct strv *settings, char **ret_path, struct error *err)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int group_fd = -1;
	int r;

	r = read_own_name(proc_self, &name, err);
	if (r == 0)
		r = find_group(proc_self, name, &path, err);
	if (r < 0)
		return r;
	group_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (group_fd < 0)
		return error_set(err, -EOPNOTSUPP, "the cgroup %s cannot be opened (%s)", path,
				 strerror(errno));
	r = check_controllers(group_fd, path, settings, err);
	if (r == 0)
		r = check_writable(group_fd, path, err);
	if (r == 0)
		r = check_alone(group_fd, path, err);
	if (r < 0)
		return r;
	*ret_path = TAKE_PTR(path);
	return 0;
}

static const char *
format_name(char name[GROUP_NAME_BYTES], const char *prefix)
{
	snprintf(name, GROUP_NAME_BYTES, "%s%d", prefix, getpid());
	return name;
}

/* The number in the name of a group of porta's, or 0. */
static pid_t
group_owner(const char *name)
{
	uint64_t pid = 0;

	if (str_starts_with(name, SUPERVISOR_PREFIX))
		(void)str_parse_u64(name + strlen(SUPERVISOR_PREFIX), 1, INT32_MAX, &pid);
	else if (str_starts_with(name, RUN_PREFIX))
		(void)str_parse_u64(name + strlen(RUN_PREFIX), 1, INT32_MAX, &pid);
	return (pid_t)pid;
}

/*
 * Looks at each group below. Removes those whose porta is gone, if asked to: a group that still has
 * processes stays, by the kernel. Returns whether one is there that is not this process's own.
 */
static bool
look_at_groups(int own_fd, bool remove_stale)
{
	int fd = openat(own_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool has_other = false;

	if (directory == NULL) {
		fd_close(fd);
		return true;
	}
	while ((entry = readdir(directory)) != NULL) {
		pid_t owner = group_owner(entry->d_name);

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (remove_stale && owner > 0 &&
		    (owner == getpid() || (kill(owner, 0) < 0 && errno == ESRCH)) &&
		    unlinkat(own_fd, entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		has_other |= owner != getpid();
	}
	closedir(directory);
	return has_other;
}

/* "+memory +pids", or with '-' the opposite. */
static int
switch_controllers(const struct cgroup *cgroup, char sign)
{
	struct strbuf text = STRBUF_INIT;
	int r;

	for (size_t i = 0; i < cgroup->controllers.count; i++)
		strbuf_printf(&text, "%s%c%s", i > 0 ? " " : "", sign,
			      cgroup->controllers.items[i]);
	r = write_small(cgroup->own_fd, "cgroup.subtree_control", text.text);
	strbuf_done(&text);
	return r;
}

static int
enter_supervisor(struct cgroup *cgroup)
{
	_cleanup_fd_ int fd = -1;
	char name[GROUP_NAME_BYTES];

	if (mkdirat(cgroup->own_fd, format_name(name, SUPERVISOR_PREFIX), 0755) < 0)
		return -errno;
	cgroup->is_moved = true;
	fd = openat(cgroup->own_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* 0 is the process that writes. */
	return fd < 0 ? -errno : write_small(fd, "cgroup.procs", "0");
}

static int
enable_controllers(struct cgroup *cgroup, const char *path, struct error *err)
{
	int r = switch_controllers(cgroup, '+');

	if (r == -EBUSY) {
		r = enter_supervisor(cgroup);
		if (r < 0)
			return error_set_errno(err, r, "cannot move into a group below %s", path);
		r = switch_controllers(cgroup, '+');
	}
	if (r == -EBUSY)
		return error_set(err, r, "other processes are in the cgroup %s", path);
	return r < 0 ? error_set_errno(err, r, "cannot switch controllers on below %s", path) : 0;
}

static int
apply_setting(int run_fd, const char *setting, struct error *err)
{
	size_t n = strcspn(setting, " ");
	_cleanup_free_ char *file = mem_strndup(setting, n);
	int r = write_small(run_fd, file, setting + n + 1);

	/* A kernel without swap has nothing to limit. */
	if (r == -ENOENT && str_equal(file, "memory.swap.max") && access("/proc/swaps", F_OK) < 0)
		return 0;
	return r < 0 ? error_set_errno(err, r, "cannot set %s", file) : 0;
}

static int
make_run(struct cgroup *cgroup, struct plan *plan, struct error *err)
{
	char name[GROUP_NAME_BYTES];
	int r = 0;

	if (mkdirat(cgroup->own_fd, format_name(name, RUN_PREFIX), 0755) < 0)
		return error_set_errno(err, -errno, "cannot make a group below %s",
				       plan->cgroup_path);
	cgroup->run_fd =
	    openat(cgroup->own_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (cgroup->run_fd < 0)
		return error_set_errno(err, -errno, "cannot open %s/%s", plan->cgroup_path, name);
	for (size_t i = 0; r == 0 && i < plan->cgroup_settings.count; i++)
		r = apply_setting(cgroup->run_fd, plan->cgroup_settings.items[i], err);
	if (r < 0)
		return r;
	plan->cgroup_procs_fd =
	    openat(cgroup->run_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (plan->cgroup_procs_fd < 0)
		return error_set_errno(err, -errno, "cannot open %s/%s/cgroup.procs",
				       plan->cgroup_path, name);
	return 0;
}

int
cgroup_make(struct plan *plan, struct cgroup *ret_cgroup, struct error *err)
{
	struct cgroup cgroup = CGROUP_INIT;
	int r;

	cgroup.own_fd = open(plan->cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup.own_fd < 0)
		return error_set_errno(err, -errno, "cannot open the cgroup %s", plan->cgroup_path);
	list_controllers(&plan->cgroup_settings, &cgroup.controllers);
	look_at_groups(cgroup.own_fd, true);
	r = enable_controllers(&cgroup, plan->cgroup_path, err);
	if (r == 0)
		r = make_run(&cgroup, plan, err);
	if (r < 0) {
		cgroup_done(&cgroup);
		return r;
	}
	*ret_cgroup = cgroup;
	return 0;
}

int
cgroup_join(const struct plan *plan, struct error *err)
{
	int r;

	if (plan->cgroup_procs_fd < 0)
		return 0;
	r = fd_write_all(plan->cgroup_procs_fd, "0", 1);
	return r < 0 ? error_set_errno(err, r, "cannot enter the cgroup of the run") : 0;
}

uint64_t
cgroup_count_events(const struct cgroup *cgroup, const char *file, const char *event)
{
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;
	size_t n = strlen(event);
	uint64_t count = 0;

	if (cgroup->run_fd < 0 || read_small(cgroup->run_fd, file, &text) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, event, n) == 0 && line[n] == ' ')
			(void)str_parse_u64(line + n + 1, 0, UINT64_MAX, &count);
	}
	return count;
}

/*
 * Porta can go back only when its group gives no controllers any more, and they may go only if no
 * group below relies on them. None can come meanwhile: who is to make one would have to be in this
 * group.
 */
static void
leave_supervisor(struct cgroup *cgroup)
{
	char name[GROUP_NAME_BYTES];

	if (!look_at_groups(cgroup->own_fd, false))
		(void)switch_controllers(cgroup, '-');
	if (write_small(cgroup->own_fd, "cgroup.procs", "0") == 0)
		unlinkat(cgroup->own_fd, format_name(name, SUPERVISOR_PREFIX), AT_REMOVEDIR);
}

void
cgroup_done(struct cgroup *cgroup)
{
	char name[GROUP_NAME_BYTES];

	if (cgroup->own_fd < 0)
		return;
	unlinkat(cgroup->own_fd, format_name(name, RUN_PREFIX), AT_REMOVEDIR);
	if (cgroup->is_moved)
		leave_supervisor(cgroup);
	fd_close(cgroup->run_fd);
	fd_close(cgroup->own_fd);
	strv_done(&cgroup->controllers);
	*cgroup = (struct cgroup)CGROUP_INIT;
}
