/* The paths that a plan speaks of; see plan_paths.h. */
#include "sandbox/linux/plan_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/linux/mount_table.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define USER_DATABASE_MAX_BYTES (4 * 1024 * 1024)

/* Unreadable always, whatever is mounted. */
static const char *const key_directories[] = { ".ssh", ".gnupg", NULL };

/* Readable for uid 0 only, and so by the sandbox of root; what container engines mask. */
static const char *const root_only_paths[] = {
	"/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security", "/sys/firmware",
};

static void
add_own_home(struct plan_homes *homes, const char *path)
{
	char resolved[PATH_MAX];

	if (path[0] != '/' || realpath(path, resolved) == NULL || str_equal(resolved, "/") ||
	    strv_contains(&homes->own, resolved))
		return;
	strv_add(&homes->own, resolved);
}

/*
 * passwd(5) is read as a file: a static program cannot load NSS modules. Users that only a
 * directory service knows have $HOME.
 */
void
plan_homes_find(uid_t uid, struct plan_homes *ret_homes)
{
	_cleanup_free_ char *database = NULL;
	const char *home = getenv("HOME");
	char *rest = NULL;

	*ret_homes = (struct plan_homes){ 0 };
	if (home != NULL)
		add_own_home(ret_homes, home);
	if (fd_read_file_at(AT_FDCWD, "/etc/passwd", USER_DATABASE_MAX_BYTES, &database, NULL) < 0)
		return;
	for (char *line = strtok_r(database, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *fields[7];
		size_t count = 0;
		uint64_t id;

		while (count < ARRAY_SIZE(fields) && line != NULL)
			fields[count++] = strsep(&line, ":");
		if (count < ARRAY_SIZE(fields) || str_parse_u64(fields[2], 0, UINT32_MAX, &id) < 0)
			continue;
		if (id == uid)
			add_own_home(ret_homes, fields[5]);
		else if (uid == 0 && id >= 1000 && fields[5][0] == '/' &&
			 ret_homes->others.count < PLAN_HOMES_MAX)
			strv_add(&ret_homes->others, fields[5]);
	}
}

void
plan_homes_done(struct plan_homes *homes)
{
	strv_done(&homes->own);
	strv_done(&homes->others);
}

/* An absolute path with nothing to resolve, as most are: one call instead of one for each component. */
static bool
stat_without_symlinks(const char *path, struct stat *ret_stat)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	_cleanup_fd_ int fd = -1;

	/* ".." behind a symlink would be another directory; RESOLVE_NO_SYMLINKS rules that out. */
	if (path[0] != '/')
		return false;
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	return fd >= 0 && fstat(fd, ret_stat) == 0;
}

int
plan_path_resolve(const char *text, const struct plan_homes *homes, char **ret_path,
		  struct stat *ret_stat, struct error *err)
{
	_cleanup_free_ char *expanded = NULL;
	char resolved[PATH_MAX];

	if (text[0] == '~' && (text[1] == '/' || text[1] == '\0')) {
		if (homes->own.count == 0)
			return error_set(err, -ENOENT, "'%s': there is no home directory", text);
		expanded = path_join(homes->own.items[0], text + 1);
	}
	if (expanded == NULL)
		expanded = mem_strdup(text);
	if (stat_without_symlinks(expanded, ret_stat)) {
		*ret_path = path_normalize("/", expanded);
		return 0;
	}
	if (realpath(expanded, resolved) == NULL || lstat(resolved, ret_stat) < 0)
		return error_set_errno(err, -errno, "'%s'", text);
	*ret_path = mem_strdup(resolved);
	return 0;
}

struct plan_inode
plan_inode_of(const struct stat *st)
{
	return (struct plan_inode){ .device = st->st_dev,
				    .number = st->st_ino,
				    .type = st->st_mode & S_IFMT };
}

struct plan_inode
plan_inode_at(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? (struct plan_inode){ 0 } : plan_inode_of(&st);
}

/* Whether a path is out of sight anyway: its nearest mount in the plan is EMPTY or a mask. */
static bool
is_hidden(const struct plan *plan, const char *path)
{
	for (size_t i = plan->mounts_count; i-- > 0;) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (path_is_beneath(path, mount->path))
			return mount->kind == PLAN_MOUNT_EMPTY || mount->kind == PLAN_MOUNT_MASK;
	}
	return false;
}

struct hider {
	struct plan *plan;
	const struct mount_table *table;
};

/* Masks a path and every other path that shows the same tree. */
static int
mask_everywhere(struct hider *hider, const char *path, const char *reason, struct error *err)
{
	struct plan *plan = hider->plan;
	struct strv aliases = STRV_INIT;
	int r = mount_table_aliases(hider->table, path, MOUNT_TABLE_PARTS, &aliases, err);

	for (size_t i = 0; r == 0 && i < aliases.count; i++) {
		struct plan_inode inode = plan_inode_at(aliases.items[i]);

		if (inode.number != 0 && !is_hidden(plan, aliases.items[i]))
			plan_add_mount(plan, PLAN_MOUNT_MASK, aliases.items[i], reason)->inode = inode;
	}
	strv_done(&aliases);
	return r;
}

/* Masks what lies at DIRECTORY/NAME for each of both, symlinks followed; nothing there is no error. */
static int
mask_below(struct hider *hider, const struct strv *directories, const char *const *names,
	   const char *reason, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < directories->count; i++) {
		for (const char *const *name = names; r == 0 && *name != NULL; name++) {
			_cleanup_free_ char *path = path_join(directories->items[i], *name);
			char resolved[PATH_MAX];
			struct stat st;

			/* Most are not there, which one call tells and realpath takes several for. */
			if (lstat(path, &st) == 0 && realpath(path, resolved) != NULL)
				r = mask_everywhere(hider, resolved, reason, err);
		}
	}
	return r;
}

/* These have no other path: the kernel mounts them once. */
static void
hide_root_only(struct plan *plan)
{
	for (size_t i = 0; i < ARRAY_SIZE(root_only_paths); i++) {
		struct plan_inode inode = plan_inode_at(root_only_paths[i]);

		if (inode.type == S_IFDIR && !is_hidden(plan, root_only_paths[i]))
			plan_add_mount(plan, PLAN_MOUNT_MASK, root_only_paths[i], "root")->inode =
			    inode;
	}
}

/* File systems that show other processes or their messages: of these the sandbox has its own, or none. */
static const char *const hidden_types[] = { "proc", "mqueue", "rpc_pipefs", NULL };

/* File systems whose files are switches of the kernel or of the machine. */
static const char *const switch_types[] = {
	"sysfs",      "cgroup",	   "cgroup2",	"debugfs",     "tracefs",	"securityfs", "configfs",
	"bpf",	      "pstore",	   "efivarfs",	"selinuxfs",   "smackfs",	"fusectl",    "binfmt_misc",
	"nfsd",	      NULL,
};

static bool
is_one_of(const char *type, const char *const *types)
{
	while (*types != NULL && !str_equal(*types, type))
		types++;
	return *types != NULL;
}

/*
 * Other mounts of the kernel's own file systems: a chroot's /proc in the workspace would come along
 * with it, writable, and in any place it shows the host's processes.
 */
static void
hide_kernel_filesystems(struct hider *hider)
{
	struct plan *plan = hider->plan;

	for (size_t i = 0; i < hider->table->count; i++) {
		const struct mount_entry *entry = &hider->table->entries[i];
		bool is_hidden_type = is_one_of(entry->type, hidden_types);
		struct plan_inode inode;

		if (path_is_beneath(entry->point, "/proc") ||
		    (!is_hidden_type && !is_one_of(entry->type, switch_types)) ||
		    (!is_hidden_type && !plan_is_in_writable(plan, entry->point)))
			continue;
		inode = plan_inode_at(entry->point);
		if (str_equal(entry->point, "/dev/mqueue"))
			/* mq_overview(7): the new IPC namespace has queues of its own. */
			plan_add_mount(plan, PLAN_MOUNT_MQUEUE, entry->point, "private");
		else if (inode.number != 0 && !is_hidden(plan, entry->point))
			plan_add_mount(plan,
				       is_hidden_type ? PLAN_MOUNT_MASK : PLAN_MOUNT_READ_ONLY,
				       entry->point, "the kernel's own")->inode = inode;
	}
}

/* Whether a writable path lies on this mount, or the mount on a writable path. */
static bool
shows_writable(const struct mount_entry *entry, const struct plan *plan)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (mount->kind == PLAN_MOUNT_WRITABLE &&
		    (path_is_beneath(mount->path, entry->point) || path_is_beneath(entry->point, mount->path)))
			return true;
	}
	return false;
}

/*
 * Whether two mounts of one file system show writable paths, or an overlay does. Mostly not, and then no
 * path needs a look.
 */
static bool
may_have_aliases(const struct hider *hider)
{
	const struct mount_entry *entries = hider->table->entries;

	for (size_t i = 0; i < hider->table->layers_count; i++) {
		if (shows_writable(&entries[hider->table->layers[i].entry], hider->plan))
			return true;
	}
	for (size_t i = 1; i < hider->table->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (entries[i].device_major == entries[j].device_major &&
			    entries[i].device_minor == entries[j].device_minor &&
			    shows_writable(&entries[i], hider->plan) && shows_writable(&entries[j], hider->plan))
				return true;
		}
	}
	return false;
}

static bool
has_mount_at(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (str_equal(plan->mounts[i].path, path))
			return true;
	}
	return false;
}

/*
 * What is read-only in a writable directory is so by every other writable path to it: of a /tmp that is
 * mounted on /var/tmp too, of a directory that is mounted below itself.
 */
static int
hold_everywhere(struct hider *hider, struct error *err)
{
	struct plan *plan = hider->plan;
	size_t count = may_have_aliases(hider) ? plan->mounts_count : 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct strv aliases = STRV_INIT;

		if (plan->mounts[i].kind != PLAN_MOUNT_READ_ONLY ||
		    !plan_is_in_writable(plan, plan->mounts[i].path))
			continue;
		r = mount_table_aliases(hider->table, plan->mounts[i].path, MOUNT_TABLE_PARTS,
					&aliases, err);
		for (size_t j = 1; r == 0 && j < aliases.count; j++) {
			const char *alias = aliases.items[j];

			if (plan_is_in_writable(plan, alias) && !has_mount_at(plan, alias))
				plan_add_mount(plan, PLAN_MOUNT_READ_ONLY, alias, plan->mounts[i].reason)
				    ->inode = plan_inode_at(alias);
		}
		strv_done(&aliases);
	}
	return r;
}

int
plan_hide(struct plan *plan, const struct policy *policy, const struct plan_homes *homes,
	  const struct mount_table *table, struct error *err)
{
	struct hider hider = { .plan = plan, .table = table };
	int r;

	hide_kernel_filesystems(&hider);
	r = hold_everywhere(&hider, err);
	if (r == 0)
		r = mask_below(&hider, &homes->own, key_directories, "keys", err);
	if (r == 0)
		r = mask_below(&hider, &homes->others, key_directories, "keys", err);
	if (r == 0 && policy->deny_read_credentials)
		r = mask_below(&hider, &homes->own, policy_credential_paths,
			       "--deny-read credentials", err);
	for (size_t i = 0; r == 0 && i < policy->deny_read.count; i++) {
		_cleanup_free_ char *path = NULL;
		struct stat st;

		r = plan_path_resolve(policy->deny_read.items[i], homes, &path, &st, err);
		if (r == 0)
			r = mask_everywhere(&hider, path, "--deny-read", err);
		if (r < 0)
			error_wrap(err, r, "--deny-read");
	}
	if (plan->as_root)
		hide_root_only(plan);
	return r;
}
