/*
 * What a run may have left for git to run: looked for at its end, when every program inside is
 * dead, and told. See guard.h.
 *
 * The looks follow what git follows (gitrepository-layout(5)): `.git` may be a directory, a symlink
 * to one, or a file that names one; the configuration and the hooks may be symlinks, or lie where
 * `commondir` says. What is found is only read, and only where it is a regular file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sandbox/git_config.h"
#include "sandbox/git_layout.h"
#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* A git directory that is open. */
struct git_dir {
	int fd;
	const char *path;
	bool is_new; /* it came during the run, and so did all that is in it, whatever its times say */
};

/* Whether it was made or changed during the run: a program cannot set this time. */
static bool
is_new(const struct guard *guard, const struct stat *st)
{
	return st->st_ctim.tv_sec > guard->started.tv_sec ||
	       (st->st_ctim.tv_sec == guard->started.tv_sec &&
		st->st_ctim.tv_nsec >= guard->started.tv_nsec);
}

/* Whether the name, or what it leads to as a symlink, is new. False: there is no such file. */
static bool
look_up(const struct guard *guard, int directory_fd, const char *name, struct stat *ret_st,
	bool *ret_is_new)
{
	struct stat link;

	if (fstatat(directory_fd, name, &link, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(directory_fd, name, ret_st, 0) < 0)
		return false;
	*ret_is_new = is_new(guard, &link) || is_new(guard, ret_st);
	return true;
}

static void
tell_program(struct guard *guard, const char *label, const char *path, const char *settings)
{
	if (guard->audit_events < GUARD_AUDIT_EVENTS_MAX) {
		guard->audit_events++;
		guard_tell(guard, GUARD_EVENT_NEW_PROGRAM, label, path, settings);
	}
}

static int
read_config(int directory_fd, const char *name, char **ret_text, size_t *ret_length)
{
	_cleanup_fd_ int fd =
	    openat(directory_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_read_whole(fd, GIT_CONFIG_MAX_BYTES, ret_text, ret_length);
}

static void
audit_config(struct guard *guard, const struct git_dir *git_dir, const char *name)
{
	_cleanup_free_ char *path = path_join(git_dir->path, name);
	_cleanup_free_ char *text = NULL;
	struct strbuf settings = STRBUF_INIT;
	struct strv programs = STRV_INIT;
	bool config_is_new;
	size_t length;
	struct stat st;
	int r;

	if (guard_knows(guard, path) || !look_up(guard, git_dir->fd, name, &st, &config_is_new) ||
	    !S_ISREG(st.st_mode) || (!config_is_new && !git_dir->is_new))
		return;
	r = read_config(git_dir->fd, name, &text, &length);
	if (r == -EFBIG)
		tell_program(guard, ".git/config", path, "it is too large to be looked through");
	if (r < 0)
		return;
	git_config_list_programs(text, length, &programs);
	for (size_t i = 0; i < programs.count; i++) {
		strbuf_puts(&settings, i == 0 ? "" : ", ");
		strbuf_add(&settings, programs.items[i], strcspn(programs.items[i], "="));
	}
	if (programs.count > 0)
		tell_program(guard, ".git/config", path, settings.text);
	strbuf_done(&settings);
	strv_done(&programs);
}

static void
audit_hooks(struct guard *guard, const struct git_dir *git_dir)
{
	_cleanup_free_ char *hooks = path_join(git_dir->path, "hooks");
	const struct dirent *entry;
	bool hooks_are_new;
	struct stat st;
	DIR *stream;
	int fd;

	if (guard_knows(guard, hooks) ||
	    fstatat(git_dir->fd, "hooks", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	hooks_are_new = git_dir->is_new || (S_ISLNK(st.st_mode) && is_new(guard, &st));
	fd = openat(git_dir->fd, "hooks", DIRECTORY_FLAGS);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream == NULL) {
		fd_close(fd);
		return;
	}
	for (size_t i = 0; i < GUARD_AUDIT_ENTRIES_MAX && (entry = readdir(stream)) != NULL; i++) {
		_cleanup_free_ char *path = path_join(hooks, entry->d_name);
		bool hook_is_new;

		if (!str_ends_with(entry->d_name, ".sample") &&
		    look_up(guard, fd, entry->d_name, &st, &hook_is_new) && S_ISREG(st.st_mode) &&
		    (st.st_mode & 0111) != 0 && (hook_is_new || hooks_are_new))
			tell_program(guard, ".git/hooks", path, "");
	}
	closedir(stream);
}

/* The first command of a list of a rebase's (git-rebase(1), "exec"), or NULL; cuts `text` up. */
static char *
find_exec(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		line += strspn(line, " \t");
		if (str_starts_with(line, "exec ") || str_starts_with(line, "exec\t") ||
		    str_starts_with(line, "x ") || str_starts_with(line, "x\t"))
			return line;
	}
	return NULL;
}

/* A rebase that is under way goes on by `git rebase --continue`, and runs what its list says. */
static void
audit_rebase(struct guard *guard, const struct git_dir *git_dir)
{
	static const char name[] = "rebase-merge/git-rebase-todo";
	_cleanup_free_ char *path = path_join(git_dir->path, name);
	_cleanup_free_ char *text = NULL;
	const char *command;
	bool list_is_new;
	size_t length;
	struct stat st;

	if (!look_up(guard, git_dir->fd, name, &st, &list_is_new) || !S_ISREG(st.st_mode) ||
	    (!list_is_new && !git_dir->is_new) ||
	    read_config(git_dir->fd, name, &text, &length) < 0)
		return;
	command = find_exec(text);
	if (command != NULL)
		tell_program(guard, ".git/rebase-merge", path, command);
}

static void
audit_names(struct guard *guard, const struct git_dir *git_dir)
{
	audit_config(guard, git_dir, "config");
	audit_config(guard, git_dir, "config.worktree");
	audit_hooks(guard, git_dir);
}

static int
open_directory(const struct guard *guard, int directory_fd, const char *path)
{
	/* Below the host's root, not that of the sandbox. */
	if (path[0] == '/')
		return openat(guard->host_root_fd, path[1] != '\0' ? path + 1 : ".", DIRECTORY_FLAGS);
	return openat(directory_fd, path, DIRECTORY_FLAGS);
}

static void
audit_git_dir(struct guard *guard, const struct git_dir *git_dir)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;
	struct git_dir common = { .is_new = git_dir->is_new };
	bool link_is_new;
	struct stat st;

	audit_names(guard, git_dir);
	audit_rebase(guard, git_dir);
	if (!look_up(guard, git_dir->fd, "commondir", &st, &link_is_new) ||
	    git_layout_read_line(git_dir->fd, "commondir", "", &line) < 0)
		return;
	fd = open_directory(guard, git_dir->fd, line);
	if (fd < 0)
		return;
	path = path_normalize(git_dir->path, line);
	common.fd = fd;
	common.path = path;
	common.is_new |= link_is_new;
	audit_names(guard, &common);
}

/* `.git` of a working tree, at DIRECTORY/`name`; `was_absent`: there was none when the run began. */
static void
audit_link(struct guard *guard, int directory_fd, const char *name, const char *path,
	   bool was_absent)
{
	_cleanup_free_ char *parent = path_dirname(path);
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *named = NULL;
	_cleanup_fd_ int parent_fd = -1;
	_cleanup_fd_ int fd = -1;
	struct git_dir git_dir = { .path = path, .is_new = was_absent };
	struct stat st;

	if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	/* A directory's own time changes with what is made in it. */
	if (!S_ISDIR(st.st_mode))
		git_dir.is_new |= is_new(guard, &st);
	fd = openat(directory_fd, name, DIRECTORY_FLAGS);
	if (fd < 0 && S_ISREG(st.st_mode) &&
	    git_layout_read_line(directory_fd, name, "gitdir: ", &line) == 0) {
		parent_fd = open_directory(guard, directory_fd, parent);
		fd = open_directory(guard, parent_fd, line);
		named = path_normalize(parent, line);
		git_dir.path = named;
	}
	git_dir.fd = fd;
	if (fd >= 0)
		audit_git_dir(guard, &git_dir);
}

/* DIRECTORY/`name` as a working tree and as a bare repository; most are neither. */
static void
audit_below(struct guard *guard, int directory_fd, const char *directory, const char *name)
{
	_cleanup_free_ char *link_name = mem_printf("%s/.git", name);
	_cleanup_free_ char *head_name = mem_printf("%s/HEAD", name);
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_free_ char *link = path_join(path, ".git");
	_cleanup_fd_ int fd = -1;
	struct stat st;

	audit_link(guard, directory_fd, link_name, link, false);
	if (fstatat(directory_fd, head_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	fd = openat(directory_fd, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	if (fd >= 0 && git_layout_is_git_dir(fd))
		audit_git_dir(guard, &(struct git_dir){ .fd = fd, .path = path });
}

static void
audit_modules(struct guard *guard, int mount_fd, const char *path)
{
	_cleanup_free_ char *git_dir = path_join(path, ".git");
	_cleanup_fd_ int git_dir_fd = openat(mount_fd, ".git", DIRECTORY_FLAGS);
	struct strv modules = STRV_INIT;

	if (git_dir_fd < 0)
		return;
	git_layout_list_modules(git_dir_fd, &modules);
	for (size_t i = 0; i < modules.count; i++) {
		_cleanup_free_ char *module = path_join(git_dir, modules.items[i]);
		_cleanup_fd_ int fd =
		    openat(git_dir_fd, modules.items[i], DIRECTORY_FLAGS | O_NOFOLLOW);

		if (fd >= 0)
			audit_git_dir(guard, &(struct git_dir){ .fd = fd, .path = module });
	}
	strv_done(&modules);
}

static void
audit_subdirectories(struct guard *guard, const struct guard_directory *directory,
		     const struct stat *directory_st)
{
	int fd = openat(directory->host_fd, ".", DIRECTORY_FLAGS);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t left = GUARD_AUDIT_ENTRIES_MAX;

	if (stream == NULL) {
		fd_close(fd);
		return;
	}
	while (left > 0 && (entry = readdir(stream)) != NULL) {
		left--;
		if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
		    !str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..") &&
		    !str_equal(entry->d_name, ".git"))
			audit_below(guard, fd, directory->path, entry->d_name);
	}
	if (left == 0 && readdir(stream) != NULL && is_new(guard, directory_st))
		guard_tell(guard, GUARD_EVENT_NOT_ALL, "", directory->path, "");
	closedir(stream);
}

void
guard_git_audit(struct guard *guard, const struct guard_directory *directory)
{
	_cleanup_free_ char *link = path_join(directory->path, ".git");
	bool had_none = strv_contains(&guard->plan->unversioned, directory->path);
	struct stat st;

	if (fstat(directory->host_fd, &st) < 0)
		return;
	audit_link(guard, directory->host_fd, ".git", link, had_none);
	if (git_layout_is_git_dir(directory->host_fd))
		audit_git_dir(guard, &(struct git_dir){ .fd = directory->host_fd,
							.path = directory->path });
	/* Most file systems count subdirectories as links. */
	if (st.st_nlink == 2)
		return;
	audit_modules(guard, directory->host_fd, directory->path);
	audit_subdirectories(guard, directory, &st);
}
