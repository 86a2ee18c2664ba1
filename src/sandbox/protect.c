/* Protected names, at the time of planning; see protect.h. */
#include "sandbox/protect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "sandbox/protect_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

/* As the kernel's MAXSYMLINKS. */
#define SYMLINKS_MAX 40
/* Entries of a mount's top that are read; in a larger directory each name is looked for. */
#define LISTED_ENTRIES_MAX 64
#define LISTED_NAMES_MAX   128
/* Entries of a protected directory that are looked through for symlinks. */
#define LINKS_ENTRIES_MAX 4096

/* The last of the mounts that is at or above `path`, or NULL. */
static struct plan_mount *
nearest_mount(const struct plan *plan, const char *path)
{
	struct plan_mount *nearest = NULL;

	for (size_t i = 0; i < plan->mounts_count; i++) {
		struct plan_mount *mount = &plan->mounts[i];

		if (path_is_beneath(path, mount->path) &&
		    (nearest == NULL || strlen(mount->path) >= strlen(nearest->path)))
			nearest = mount;
	}
	return nearest;
}

bool
protect_is_writable(const struct plan *plan, const char *path)
{
	const struct plan_mount *mount = nearest_mount(plan, path);

	return mount != NULL &&
	       (mount->kind == PLAN_MOUNT_WRITABLE || mount->kind == PLAN_MOUNT_PIN);
}

/*
 * Adds a mount where it belongs: a clone of the host's tree would hide what has been mounted
 * below it by then, so it goes before the first such mount.
 */
void
protect_add_mount(struct plan *plan, enum plan_mount_kind kind, const char *path,
		  const struct stat *st, const char *reason)
{
	struct plan_mount mount;
	size_t last = plan->mounts_count;
	size_t place = 0;

	plan_add_mount(plan, kind, path, reason)->inode = (struct plan_inode){
		.device = st->st_dev, .number = st->st_ino, .type = st->st_mode & S_IFMT
	};
	while (place < last && !path_is_beneath(plan->mounts[place].path, path))
		place++;
	mount = plan->mounts[last];
	memmove(&plan->mounts[place + 1], &plan->mounts[place],
		(last - place) * sizeof(plan->mounts[0]));
	plan->mounts[place] = mount;
}

bool
protect_may_be_mounted(const struct plan *plan, const char *path)
{
	const struct plan_mount *mount = nearest_mount(plan, path);

	return mount == NULL || mount->kind == PLAN_MOUNT_EMPTY;
}

/* Holds a directory in place, unless it is a mount already. */
static void
pin(struct plan *plan, const char *path, const struct stat *st)
{
	const struct plan_mount *mount = nearest_mount(plan, path);

	if (mount == NULL || !str_equal(mount->path, path))
		protect_add_mount(plan, PLAN_MOUNT_PIN, path, st,
				  "protected: holds a protected name");
}

/*
 * A mount of the same path is a -v of its own, which is not protected by its name, or an earlier
 * protection.
 */
static void
add_read_only(struct protect *p, const char *path, const struct stat *st, const char *label)
{
	struct plan_mount *mount = nearest_mount(p->plan, path);
	_cleanup_free_ char *reason = mem_printf("protected: %s", label);

	if (mount != NULL && str_equal(mount->path, path)) {
		if (mount->kind == PLAN_MOUNT_PIN)
			mount->kind = PLAN_MOUNT_READ_ONLY;
		return;
	}
	protect_add_mount(p->plan, PLAN_MOUNT_READ_ONLY, path, st, reason);
}

/* A copy that lives as long as the plan. */
static const char *
keep_text(struct plan *plan, const char *text)
{
	strv_add(&plan->watch_texts, text);
	return plan->watch_texts.items[plan->watch_texts.count - 1];
}

/* The texts must live as long as the plan. */
static struct protect_watch *
add_kept_watch(struct plan *plan, const char *directory, const char *name, unsigned int flags,
	       const char *label)
{
	struct protect_watch *watch;

	MEM_GROW(plan->watches, plan->watches_capacity, plan->watches_count);
	watch = &plan->watches[plan->watches_count++];
	*watch = (struct protect_watch){
		.directory = directory,
		.name = name,
		.label = label,
		.is_directory = (flags & PROTECT_DIRECTORY) != 0,
		.is_git_config = (flags & PROTECT_GIT_CONFIG) != 0,
		.is_own = (flags & PROTECT_OWN) != 0,
	};
	return watch;
}

static struct protect_watch *
add_watch(struct plan *plan, const char *directory, const char *name, unsigned int flags,
	  const char *label)
{
	return add_kept_watch(plan, keep_text(plan, directory), keep_text(plan, name), flags,
			      keep_text(plan, label));
}

static struct protect_watch *
find_watch(const struct plan *plan, const char *directory, const char *name)
{
	for (size_t i = plan->watches_count; i-- > 0;) {
		if (str_equal(plan->watches[i].name, name) &&
		    str_equal(plan->watches[i].directory, directory))
			return &plan->watches[i];
	}
	return NULL;
}

/*
 * A hook that is a symlink to a script of the tree: what it leads to is what git runs, and so for
 * the settings of an editor. A directory is left alone: a link to the sources would make them
 * read-only.
 */
static void
protect_linked_files(struct protect *p, const char *directory, const char *label)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t left = LINKS_ENTRIES_MAX;

	if (stream == NULL) {
		fd_close(fd);
		return;
	}
	while (left-- > 0 && (entry = readdir(stream)) != NULL) {
		_cleanup_free_ char *path = NULL;
		struct stat st;

		if ((entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) ||
		    str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		if (fstatat(fd, entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode))
			continue;
		path = path_join(directory, entry->d_name);
		protect_path(p, path, 0, label);
	}
	closedir(stream);
}

/* What is at `directory`/`name` was found to be `st` (NULL: nothing), and no symlink. */
static void
protect_found(struct protect *p, const char *directory, const char *name, const struct stat *st,
	      unsigned int flags, const char *label)
{
	_cleanup_free_ char *path = NULL;
	struct protect_watch *watch;

	if (st != NULL) {
		path = path_join(directory, name);
		if (strv_contains(p->explicit_paths, path))
			return;
		add_read_only(p, path, st, label);
	}
	watch = find_watch(p->plan, directory, name);
	if (watch == NULL) {
		add_watch(p->plan, directory, name, flags, label)->exists = st != NULL;
		if (path != NULL && S_ISDIR(st->st_mode) &&
		    (flags & (PROTECT_DIRECTORY | PROTECT_OWN)) == PROTECT_DIRECTORY)
			protect_linked_files(p, path, label);
	} else if ((flags & PROTECT_GIT_CONFIG) != 0) {
		watch->is_git_config = true;
	}
}

void
protect_entry(struct protect *p, int directory_fd, const char *directory, const char *name,
	      unsigned int flags, const char *label)
{
	struct stat st;

	if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		protect_found(p, directory, name, NULL, flags, label);
	} else if (S_ISLNK(st.st_mode)) {
		_cleanup_free_ char *path = path_join(directory, name);

		protect_path(p, path, flags, label);
	} else {
		protect_found(p, directory, name, &st, flags, label);
	}
}

static char *
read_symlink(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	return n <= 0 ? NULL : mem_strndup(target, (size_t)n);
}

/*
 * Watches a symlink on the way; *current and *rest go on where it points. False: it points nowhere
 * that matters.
 */
static bool
follow_symlink(struct protect *p, char **current, const char *path, char **rest, const char *after,
	       const char *label)
{
	_cleanup_free_ char *target = read_symlink(path);
	char *joined;

	if (target == NULL)
		return false;
	if (protect_is_writable(p->plan, *current) &&
	    find_watch(p->plan, *current, path_basename(path)) == NULL)
		add_watch(p->plan, *current, path_basename(path), 0, label)->is_symlink = true;
	if (target[0] == '/') {
		free(*current);
		*current = mem_strdup("/");
	}
	joined = mem_printf("%s/%s", target, after);
	free(*rest);
	*rest = joined;
	return true;
}

/* The rest of a path that ends here: everything below `current` is still to be made. */
static void
protect_absent(struct protect *p, const char *current, const char *rest, unsigned int flags,
	       const char *label)
{
	_cleanup_free_ char *path = path_normalize(current, rest);
	_cleanup_free_ char *directory = path_dirname(path);

	if ((flags & PROTECT_PIN) == 0 && protect_is_writable(p->plan, directory))
		protect_found(p, directory, path_basename(path), NULL, flags, label);
}

void
protect_path(struct protect *p, const char *path, unsigned int flags, const char *label)
{
	_cleanup_free_ char *current = mem_strdup("/");
	_cleanup_free_ char *rest = mem_strdup(path);
	size_t symlinks = 0;
	size_t offset = 0;

	while ((offset += strspn(rest + offset, "/")), rest[offset] != '\0') {
		size_t length = strcspn(rest + offset, "/");
		const char *after = rest + offset + length;
		_cleanup_free_ char *name = mem_strndup(rest + offset, length);
		char *next = path_normalize(current, name);
		bool is_last = after[strspn(after, "/")] == '\0';
		struct stat st;

		if (lstat(next, &st) < 0) {
			protect_absent(p, current, rest + offset, flags, label);
			free(next);
			return;
		}
		if (S_ISLNK(st.st_mode)) {
			bool goes_on = ++symlinks <= SYMLINKS_MAX &&
				       follow_symlink(p, &current, next, &rest, after, label);

			free(next);
			if (!goes_on)
				return;
			offset = 0;
			continue;
		}
		if (is_last && (flags & PROTECT_PIN) == 0) {
			if (protect_is_writable(p->plan, current))
				protect_found(p, current, path_basename(next), &st, flags, label);
		} else if (S_ISDIR(st.st_mode) && protect_is_writable(p->plan, next)) {
			pin(p->plan, next, &st);
		}
		free(current);
		current = next;
		offset += length;
	}
}

char *
protect_user_directory(const char *variable, const char *fallback)
{
	const char *value = getenv(variable);
	const char *home = getenv("HOME");

	if (value != NULL && value[0] == '/')
		return path_normalize("/", value);
	if (home == NULL || home[0] != '/')
		return NULL;
	return path_join(home, fallback);
}

/* What is to be known of each of policy_protected_names; worked out once, not for each mount. */
struct listed_name {
	const char *name;
	size_t first_length; /* of its first component */
	unsigned int flags;
	bool is_deep;	     /* has more than one */
	bool is_skipped;     /* found elsewhere, or allowed */
};

struct listed_names {
	size_t count;
	struct listed_name items[LISTED_NAMES_MAX];
};

/* Names that are directories when they are something; every other protected name is a file. */
static unsigned int
flags_of_name(const char *name)
{
	static const char *const names[] = {
		".claude",
		".cursor",
		".vscode",
		".idea",
		".devcontainer",
		".config/autostart",
		".config/fish/conf.d",
		".config/environment.d",
		".config/fish/functions",
		".config/systemd/user",
		".local/share/systemd/user",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_equal(name, names[i]))
			return PROTECT_DIRECTORY;
	}
	return str_equal(name, ".gitconfig") || str_equal(name, ".config/git/config")
		   ? PROTECT_GIT_CONFIG
		   : 0;
}

/* Those of git are found by its layout, those of the home directory by protect_plan_absent_home. */
static bool
is_found_elsewhere(const char *name)
{
	return str_starts_with(name, ".git/") || str_equal(name, ".ssh") ||
	       str_equal(name, ".gnupg");
}

static void
list_names(const struct policy *policy, struct listed_names *ret_names)
{
	ret_names->count = 0;
	for (size_t i = 0; policy_protected_names[i] != NULL; i++) {
		const char *name = policy_protected_names[i];
		size_t first_length = strcspn(name, "/");

		assert(i < LISTED_NAMES_MAX);
		ret_names->items[ret_names->count++] = (struct listed_name){
			.name = name,
			.first_length = first_length,
			.flags = flags_of_name(name),
			.is_deep = name[first_length] != '\0',
			.is_skipped =
			    is_found_elsewhere(name) || policy_allows_protected(policy, name),
		};
	}
}

/*
 * Which of the listed names, by their first components, are in a directory: one listing is cheaper
 * than a look for each. False for a directory that is too large, or cannot be listed.
 */
static bool
list_present(int mount_fd, const struct listed_names *names, bool *present)
{
	int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t left = LISTED_ENTRIES_MAX;

	if (stream == NULL) {
		fd_close(fd);
		return false;
	}
	while (left > 0 && (errno = 0, entry = readdir(stream)) != NULL) {
		left--;
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		for (size_t i = 0; i < names->count; i++) {
			const struct listed_name *name = &names->items[i];

			present[i] |=
			    strncmp(name->name, entry->d_name, name->first_length) == 0 &&
			    entry->d_name[name->first_length] == '\0';
		}
	}
	closedir(stream);
	return left > 0 && errno == 0;
}

static bool
is_home(int mount_fd)
{
	const char *home = getenv("HOME");
	struct stat st;
	struct stat home_st;

	return home != NULL && stat(home, &home_st) == 0 && fstat(mount_fd, &st) == 0 &&
	       st.st_dev == home_st.st_dev && st.st_ino == home_st.st_ino;
}

static void
protect_listed_names(struct protect *p, int mount_fd)
{
	bool present[LISTED_NAMES_MAX] = { false };
	const char *directory = keep_text(p->plan, p->mount_path);
	bool is_known = list_present(mount_fd, p->names, present);
	bool in_home = is_home(mount_fd);

	for (size_t i = 0; i < p->names->count; i++) {
		const struct listed_name *name = &p->names->items[i];

		if (name->is_skipped)
			continue;
		if (name->is_deep && (in_home || present[i] || !is_known)) {
			_cleanup_free_ char *path = path_join(p->mount_path, name->name);

			protect_path(p, path, name->flags, name->name);
		} else if (!name->is_deep && is_known && !present[i]) {
			add_kept_watch(p->plan, directory, name->name, name->flags, name->name);
		} else if (!name->is_deep) {
			protect_entry(p, mount_fd, p->mount_path, name->name, name->flags,
				      name->name);
		}
	}
}

static int
plan_mount(struct protect *p, const char *mount_path, struct error *err)
{
	_cleanup_fd_ int mount_fd =
	    open(mount_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (mount_fd < 0 && errno == ENOTDIR)
		return 0; /* a file has no names in it */
	if (mount_fd < 0)
		return error_set_errno(err, -errno, "cannot look for protected names in %s",
				       mount_path);
	p->mount_path = mount_path;
	protect_listed_names(p, mount_fd);
	protect_git(p, mount_fd);
	return 0;
}

int
protect_plan_mounts(struct plan *plan, const struct policy *policy,
		    const struct strv *mount_paths, const struct strv *explicit_paths,
		    struct error *err)
{
	struct listed_names names;
	struct protect p = {
		.plan = plan, .policy = policy, .explicit_paths = explicit_paths, .names = &names
	};
	int r = 0;

	if (mount_paths->count == 0)
		return 0;
	list_names(policy, &names);
	for (size_t i = 0; r == 0 && i < mount_paths->count; i++)
		r = plan_mount(&p, mount_paths->items[i], err);
	return r;
}

void
protect_plan_absent_home(struct plan *plan, const char *home)
{
	static const char *const names[] = { ".ssh", ".gnupg" };
	_cleanup_free_ char *real = realpath(home, NULL);

	if (real == NULL || !protect_is_writable(plan, real))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = path_join(real, names[i]);
		_cleanup_free_ char *label = mem_printf("~/%s", names[i]);
		struct stat st;

		if (lstat(path, &st) < 0 && errno == ENOENT &&
		    find_watch(plan, real, names[i]) == NULL)
			add_watch(plan, real, names[i], PROTECT_DIRECTORY, label);
	}
}

void
protect_plan_project_file(struct plan *plan, const char *path)
{
	const struct strv none = STRV_INIT;
	struct protect p = { .plan = plan, .explicit_paths = &none };

	protect_path(&p, path, 0, "porta.toml");
}

void
protect_plan_own(struct plan *plan, const char *path)
{
	const struct strv none = STRV_INIT;
	struct protect p = { .plan = plan, .explicit_paths = &none };

	protect_path(&p, path, PROTECT_DIRECTORY | PROTECT_OWN, "porta's own directory");
}
