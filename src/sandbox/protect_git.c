/*
 * Protected names of git repositories, at the time of planning; see protect.h. Which files make git
 * run programs: gitrepository-layout(5), githooks(5), git-config(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sandbox/git_config.h"
#include "sandbox/git_layout.h"
#include "sandbox/protect_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define INCLUDES_MAX                                                                               \
	64 /* configuration files read for one repository, the included ones among them */
#define CHECKOUTS_MAX	256 /* working trees named in .gitmodules */
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What one configuration file names, collected while it is parsed. */
struct config_paths {
	struct strv hooks;
	struct strv includes;
	char *work_tree; /* core.worktree, or NULL */
};

static void
collect_path(void *data, const char *name, const char *value)
{
	struct config_paths *paths = data;

	if (value == NULL || value[0] == '\0')
		return;
	if (str_equal(name, "core.hookspath")) {
		strv_add(&paths->hooks, value);
	} else if (git_config_is_include(name)) {
		strv_add(&paths->includes, value);
	} else if (str_equal(name, "core.worktree")) {
		free(paths->work_tree);
		paths->work_tree = mem_strdup(value);
	}
}

/* A path of a configuration, made absolute; NULL for the home directory of another user. */
static char *
expand_path(const char *base, const char *value)
{
	const char *home = getenv("HOME");

	if (value[0] != '~')
		return path_normalize(base, value);
	if (value[1] != '/' || home == NULL || home[0] != '/')
		return NULL;
	return path_join(home, value + 2);
}

static void
protect_hooks_path(struct protect *p, const char *work_tree, const char *value)
{
	_cleanup_free_ char *path = expand_path(work_tree, value);

	if (path == NULL)
		return;
	/* husky sets DIRECTORY/_, whose hooks run the scripts beside it. */
	if (str_equal(path_basename(path), "_")) {
		_cleanup_free_ char *directory = path_dirname(path);

		protect_path(p, directory, PROTECT_DIRECTORY, ".git/hooks");
	}
	protect_path(p, path, PROTECT_DIRECTORY, ".git/hooks");
}

/*
 * Protects what a configuration file leads to: its in-tree hooks, and the files that it includes,
 * whose conditions are taken to hold. *budget counts files down, so that they may include each
 * other.
 */
static void
protect_targets(struct protect *p, const char *config_path, const char *work_tree, size_t *budget,
		char **ret_work_tree)
{
	struct config_paths paths = { 0 };
	_cleanup_free_ char *directory = path_dirname(config_path);
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -1;
	size_t length;

	if (*budget == 0)
		return;
	--*budget;
	/* Non-blocking: it may be a FIFO. What is no configuration for git either names nothing. */
	fd = open(config_path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fd_read_whole(fd, GIT_CONFIG_MAX_BYTES, &text, &length) < 0)
		return;
	git_config_parse(text, length, collect_path, &paths);
	for (size_t i = 0;
	     i < paths.hooks.count && !policy_allows_protected(p->policy, ".git/hooks"); i++)
		protect_hooks_path(p, work_tree, paths.hooks.items[i]);
	for (size_t i = 0; i < paths.includes.count; i++) {
		_cleanup_free_ char *path = expand_path(directory, paths.includes.items[i]);

		if (path == NULL)
			continue;
		if (!policy_allows_protected(p->policy, ".git/config"))
			protect_path(p, path, PROTECT_GIT_CONFIG, ".git/config");
		protect_targets(p, path, work_tree, budget, NULL);
	}
	if (ret_work_tree != NULL && paths.work_tree != NULL)
		*ret_work_tree = expand_path(directory, paths.work_tree);
	strv_done(&paths.hooks);
	strv_done(&paths.includes);
	free(paths.work_tree);
}

static void
protect_name(struct protect *p, int directory_fd, const char *directory, const char *name,
	     unsigned int flags, const char *label)
{
	if (!policy_allows_protected(p->policy, label))
		protect_entry(p, directory_fd, directory, name, flags, label);
}

/*
 * `.git` of a working tree somewhere in the mount, where it is a file: it says where the
 * configuration is.
 */
static void
protect_link(struct protect *p, const char *work_tree)
{
	_cleanup_free_ char *path = path_join(work_tree, ".git");
	struct stat st;

	if (!policy_allows_protected(p->policy, ".git/commondir") && lstat(path, &st) == 0 &&
	    !S_ISDIR(st.st_mode))
		protect_path(p, path, 0, ".git/commondir");
}

/*
 * The names of one git directory proper: `label` is what stands for it in messages, ".git" or
 * ".git/modules/NAME".
 */
static void
protect_git_names(struct protect *p, int git_dir_fd, const char *git_dir, const char *label)
{
	static const struct {
		const char *name;
		unsigned int flags;
	} names[] = { { "hooks", PROTECT_DIRECTORY },
		      { "config", PROTECT_GIT_CONFIG },
		      { "config.worktree", PROTECT_GIT_CONFIG },
		      { "commondir", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *own = mem_printf("%s/%s", label, names[i].name);
		_cleanup_free_ char *general = mem_printf(".git/%s", names[i].name);

		if (!policy_allows_protected(p->policy, general))
			protect_name(p, git_dir_fd, git_dir, names[i].name, names[i].flags, own);
	}
}

/*
 * Opens `git_dir`/`name`, a directory free of symlinks, and pins what is between; -1: not to be
 * looked into.
 */
static int
open_below(struct protect *p, int git_dir_fd, const char *git_dir, const char *name,
	   char **ret_path)
{
	_cleanup_fd_ int fd = openat(git_dir_fd, name, DIRECTORY_FLAGS);
	_cleanup_free_ char *path = path_join(git_dir, name);

	if (fd < 0)
		return -1;
	protect_path(p, path, PROTECT_PIN, ".git");
	*ret_path = TAKE_PTR(path);
	return TAKE_FD(fd);
}

static void
protect_module(struct protect *p, int git_dir_fd, const char *git_dir, const char *name,
	       size_t *budget)
{
	_cleanup_free_ char *label = mem_printf(".git/%s", name);
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *config = NULL;
	_cleanup_free_ char *work_tree = NULL;
	_cleanup_fd_ int fd = open_below(p, git_dir_fd, git_dir, name, &path);

	if (fd < 0)
		return;
	protect_git_names(p, fd, path, label);
	config = path_join(path, "config");
	protect_targets(p, config, path, budget, &work_tree);
	if (work_tree != NULL)
		protect_link(p, work_tree);
}

/*
 * What a worktree's entry in the common directory says about where the rest is, and the `.git` of
 * its tree.
 */
static void
protect_worktree_entry(struct protect *p, int git_dir_fd, const char *git_dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *line = NULL;
	_cleanup_fd_ int fd = open_below(p, git_dir_fd, git_dir, name, &path);

	if (fd < 0)
		return;
	protect_name(p, fd, path, "commondir", 0, ".git/commondir");
	protect_name(p, fd, path, "gitdir", 0, ".git/commondir");
	protect_name(p, fd, path, "config.worktree", PROTECT_GIT_CONFIG, ".git/config.worktree");
	if (git_layout_read_line(fd, "gitdir", "", &line) == 0) {
		_cleanup_free_ char *link = path_normalize(path, line);
		_cleanup_free_ char *work_tree = path_dirname(link);

		protect_link(p, work_tree);
	}
}

/* A git directory that is writable inside, with its submodules and worktrees. */
static void
protect_git_dir(struct protect *p, int git_dir_fd, const char *git_dir, const char *work_tree)
{
	_cleanup_free_ char *config = path_join(git_dir, "config");
	_cleanup_free_ char *config_worktree = path_join(git_dir, "config.worktree");
	struct strv below = STRV_INIT;
	size_t budget = INCLUDES_MAX;

	if (p->policy->allow_protected_all)
		return;
	protect_git_names(p, git_dir_fd, git_dir, ".git");
	protect_targets(p, config, work_tree, &budget, NULL);
	protect_targets(p, config_worktree, work_tree, &budget, NULL);
	if (git_layout_list_modules(git_dir_fd, &below) < 0)
		protect_name(p, git_dir_fd, git_dir, "modules", PROTECT_DIRECTORY, ".git/modules");
	budget += below.count;
	for (size_t i = 0; i < below.count; i++)
		protect_module(p, git_dir_fd, git_dir, below.items[i], &budget);
	strv_done(&below);
	if (git_layout_list_worktrees(git_dir_fd, &below) < 0)
		protect_name(p, git_dir_fd, git_dir, "worktrees", PROTECT_DIRECTORY,
			     ".git/commondir");
	for (size_t i = 0; i < below.count; i++)
		protect_worktree_entry(p, git_dir_fd, git_dir, below.items[i]);
	strv_done(&below);
}

/* core.hooksPath and includes of the user's own configuration hold for every repository. */
static void
protect_user_targets(struct protect *p, const char *work_tree)
{
	_cleanup_free_ char *base = protect_user_directory("XDG_CONFIG_HOME", ".config");
	_cleanup_free_ char *xdg = base ? path_join(base, "git/config") : NULL;
	_cleanup_free_ char *home = expand_path("/", "~/.gitconfig");
	size_t budget = INCLUDES_MAX;

	protect_targets(p, "/etc/gitconfig", work_tree, &budget, NULL);
	if (home != NULL)
		protect_targets(p, home, work_tree, &budget, NULL);
	if (xdg != NULL)
		protect_targets(p, xdg, work_tree, &budget, NULL);
}

static void
collect_checkout(void *data, const char *name, const char *value)
{
	struct strv *list = data;

	if (value != NULL && str_starts_with(name, "submodule.") && str_ends_with(name, ".path") &&
	    list->count < CHECKOUTS_MAX)
		strv_add(list, value);
}

/*
 * The working trees that .gitmodules names: `.git` of each, as a file or as an old submodule's
 * directory.
 */
static void
protect_checkouts(struct protect *p, int mount_fd)
{
	struct strv list = STRV_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -1;
	size_t length;

	fd = openat(mount_fd, ".gitmodules",
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fd_read_whole(fd, GIT_CONFIG_MAX_BYTES, &text, &length) < 0)
		return;
	git_config_parse(text, length, collect_checkout, &list);
	for (size_t i = 0; i < list.count; i++) {
		_cleanup_free_ char *work_tree = path_normalize(p->mount_path, list.items[i]);
		_cleanup_free_ char *git_dir = path_join(work_tree, ".git");
		_cleanup_free_ char *real = realpath(git_dir, NULL);
		_cleanup_fd_ int git_dir_fd = -1;

		protect_link(p, work_tree);
		if (real == NULL || !str_equal(real, git_dir) ||
		    !protect_is_writable(p->plan, real))
			continue;
		git_dir_fd = open(real, DIRECTORY_FLAGS);
		if (git_dir_fd < 0)
			continue;
		protect_path(p, real, PROTECT_PIN, ".git");
		protect_git_dir(p, git_dir_fd, real, work_tree);
	}
	strv_done(&list);
}

/*
 * The working tree's `.git` is a file. Where it is that of a worktree, git inside needs the common
 * directory, which holds objects and references, to be writable too.
 */
static void
protect_worktree(struct protect *p, int mount_fd)
{
	_cleanup_free_ char *git_dir = NULL;
	_cleanup_free_ char *common = NULL;
	_cleanup_free_ char *reason = NULL;
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (git_layout_find_worktree(mount_fd, p->mount_path, &git_dir, &common) < 0)
		return;
	fd = open(common, DIRECTORY_FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (!protect_is_writable(p->plan, common)) {
		if (!protect_may_be_mounted(p->plan, common))
			return;
		reason = mem_printf("git directory of the worktree %s", p->mount_path);
		protect_add_mount(p->plan, PLAN_MOUNT_WRITABLE, common, &st, reason);
		plan_add_grant(p->plan, common)->write = true;
	}
	protect_git_dir(p, fd, common, p->mount_path);
}

/*
 * The git directory at `path`: `.git` itself, or what it points to as a symlink; or the mount, if
 * that is one.
 */
static void
protect_git_at(struct protect *p, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_free_ char *work_tree = NULL;
	_cleanup_fd_ int fd = real ? open(real, DIRECTORY_FLAGS) : -1;

	if (p->policy->allow_protected_all)
		return;
	protect_path(p, path, PROTECT_PIN, ".git");
	if (fd < 0 || !protect_is_writable(p->plan, real))
		return;
	/*
	 * core.hooksPath is relative to the working tree, or in a bare repository to the git
	 * directory.
	 */
	if (str_equal(real, p->mount_path) && !str_equal(path_basename(real), ".git"))
		work_tree = mem_strdup(real);
	else if (str_equal(real, p->mount_path))
		work_tree = path_dirname(real);
	protect_git_dir(p, fd, real, work_tree ? work_tree : p->mount_path);
}

/* `git init --separate-git-dir`: the git directory that the file names, where it can be written inside. */
static void
protect_separate(struct protect *p, int mount_fd)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *path = NULL;

	if (git_layout_read_line(mount_fd, ".git", "gitdir: ", &line) < 0)
		return;
	path = line[0] == '/' ? mem_strdup(line) : path_join(p->mount_path, line);
	protect_git_at(p, path);
}

void
protect_git(struct protect *p, int mount_fd)
{
	_cleanup_free_ char *link = path_join(p->mount_path, ".git");
	struct stat st;

	if (fstatat(mount_fd, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISREG(st.st_mode)) {
			protect_link(p, p->mount_path);
			protect_separate(p, mount_fd);
			protect_worktree(p, mount_fd);
		} else {
			protect_git_at(p, link);
		}
	} else if (git_layout_is_git_dir(mount_fd)) {
		protect_git_at(p, p->mount_path);
	} else {
		strv_add(&p->plan->unversioned, p->mount_path);
		return;
	}
	protect_user_targets(p, p->mount_path);
	protect_checkouts(p, mount_fd);
}
