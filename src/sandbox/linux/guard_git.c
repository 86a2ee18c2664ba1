/*
 * The guard and git: configurations that were replaced during the run are compared with what they
 * were, and repositories that were made during it are looked through at the end. See
 * guard_internal.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/git_config.h"
#include "sandbox/git_layout.h"
#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int
read_config(int directory_fd, const char *name, struct stat *ret_st, char **ret_text,
	    size_t *ret_length)
{
	_cleanup_fd_ int fd =
	    openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	return fd_read_whole(fd, GIT_CONFIG_MAX_BYTES, ret_text, ret_length);
}

void
guard_git_note(struct guard *guard, struct guard_watch *watch)
{
	char *text;
	struct stat st;

	if (read_config(guard->directories[watch->directory].host_fd, watch->plan->name, &st, &text,
			&watch->text_length) < 0)
		return;
	free(watch->text);
	watch->text = text;
}

/*
 * Whether `text` has settings that run programs and that the noted one lacks; what git would refuse
 * counts as such.
 */
static bool
has_new_programs(const struct guard_watch *watch, const char *text, size_t length)
{
	struct strv before = STRV_INIT;
	struct strv after = STRV_INIT;
	bool is_new;

	git_config_list_programs(watch->text, watch->text_length, &before);
	is_new = git_config_list_programs(text, length, &after) < 0;
	for (size_t i = 0; i < after.count && !is_new; i++)
		is_new = !strv_contains(&before, after.items[i]);
	strv_done(&before);
	strv_done(&after);
	return is_new;
}

/* A new file with the noted text in the place of the old one: who had that open has nothing. */
static int
replace_config(struct guard *guard, const struct guard_watch *watch, const struct stat *st)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;
	int quarantine_fd = guard_quarantine_open(guard);
	_cleanup_fd_ int fd = -1;
	int r = -EXDEV;

	if (quarantine_fd >= 0) {
		fd = openat(quarantine_fd, "restored", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			    0600);
		if (fd < 0)
			return -errno;
		r = fd_write_all(fd, watch->text, watch->text_length);
		/* As root the repository may be another user's. */
		if (r == 0 &&
		    (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 0777) < 0))
			r = -errno;
		if (r == 0 && renameat(quarantine_fd, "restored", directory->host_fd, name) < 0)
			r = -errno;
		if (r < 0)
			unlinkat(quarantine_fd, "restored", 0);
	}
	if (r != -EXDEV)
		return r;
	/* On another file system it is written in place; the end of the run compares once more. */
	fd_close(fd);
	fd = openat(directory->host_fd, name,
		    O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, watch->text, watch->text_length);
}

static void
put_back(struct guard *guard, struct guard_watch *watch, const struct stat *st, const char *text,
	 size_t length)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	_cleanup_free_ char *path = path_join(directory->path, watch->plan->name);
	_cleanup_free_ char *kept = NULL;
	struct stat now;

	if (guard_quarantine_keep(guard, watch->plan->name, text, length, &kept) < 0 && length > 0)
		kept = mem_strdup("");
	guard_unmount(directory, watch->plan->name);
	replace_config(guard, watch, st);
	if (fstatat(directory->host_fd, watch->plan->name, &now, AT_SYMLINK_NOFOLLOW) == 0)
		guard_hold(guard, watch, &now);
	guard_tell(guard, GUARD_EVENT_PUT_BACK, watch->plan->label, path, kept ? kept : "");
}

void
guard_git_check(struct guard *guard, struct guard_watch *watch)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	struct stat st;
	int r;

	if (!watch->plan->is_git_config || !watch->was_exposed || watch->text == NULL)
		return;
	r = read_config(guard->directories[watch->directory].host_fd, watch->plan->name, &st, &text,
			&length);
	if (r < 0 && r != -EFBIG)
		return;
	if (r == 0 && length == watch->text_length && memcmp(text, watch->text, length) == 0)
		return;
	if (r == -EFBIG || has_new_programs(watch, text, length)) {
		put_back(guard, watch, &st, text ? text : "", length);
		return;
	}
	free(watch->text);
	watch->text = TAKE_PTR(text);
	watch->text_length = length;
}

/* Whether a file was made or changed during the run: a program cannot set this time. */
static bool
is_new(const struct guard *guard, const struct stat *st)
{
	return st->st_ctim.tv_sec > guard->started.tv_sec ||
	       (st->st_ctim.tv_sec == guard->started.tv_sec &&
		st->st_ctim.tv_nsec >= guard->started.tv_nsec);
}

static void
tell_program(struct guard *guard, const char *label, const char *path, const char *settings)
{
	if (guard->audit_events < GUARD_AUDIT_EVENTS_MAX) {
		guard->audit_events++;
		guard_tell(guard, GUARD_EVENT_NEW_PROGRAM, label, path, settings);
	}
}

static void
audit_config(struct guard *guard, int git_dir_fd, const char *git_dir, const char *name)
{
	_cleanup_free_ char *path = path_join(git_dir, name);
	_cleanup_free_ char *text = NULL;
	struct strbuf settings = STRBUF_INIT;
	struct strv programs = STRV_INIT;
	size_t length;
	struct stat st;

	if (guard_knows(guard, path) || read_config(git_dir_fd, name, &st, &text, &length) < 0 ||
	    !is_new(guard, &st))
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
audit_hooks(struct guard *guard, int git_dir_fd, const char *git_dir)
{
	_cleanup_free_ char *hooks = path_join(git_dir, "hooks");
	int fd = openat(git_dir_fd, "hooks", DIRECTORY_FLAGS);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (stream == NULL) {
		fd_close(fd);
		return;
	}
	for (size_t i = 0; i < GUARD_AUDIT_ENTRIES_MAX && (entry = readdir(stream)) != NULL; i++) {
		_cleanup_free_ char *path = path_join(hooks, entry->d_name);
		struct stat st;

		if (fstatat(fd, entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    (st.st_mode & 0111) != 0 && is_new(guard, &st) &&
		    !str_ends_with(entry->d_name, ".sample") && !guard_knows(guard, hooks))
			tell_program(guard, ".git/hooks", path, "");
	}
	closedir(stream);
}

static void
audit_git_dir(struct guard *guard, int git_dir_fd, const char *git_dir)
{
	audit_config(guard, git_dir_fd, git_dir, "config");
	audit_config(guard, git_dir_fd, git_dir, "config.worktree");
	audit_hooks(guard, git_dir_fd, git_dir);
}

/* `.git` of a working tree: a directory, or a file that names one. */
static void
audit_link(struct guard *guard, int directory_fd, const char *path)
{
	_cleanup_free_ char *link = NULL;
	_cleanup_free_ char *git_dir = NULL;
	_cleanup_fd_ int fd = openat(directory_fd, ".git", DIRECTORY_FLAGS);

	if (fd >= 0) {
		git_dir = path_join(path, ".git");
	} else if (errno == ENOTDIR &&
		   git_layout_read_line(directory_fd, ".git", "gitdir: ", &link) == 0) {
		git_dir = path_normalize(path, link);
		fd = guard_open(guard->host_root_fd, git_dir, O_RDONLY | O_DIRECTORY);
	}
	if (fd >= 0)
		audit_git_dir(guard, fd, git_dir);
}

/* A directory at the top, as a working tree and as a bare repository. */
static void
audit_directory(struct guard *guard, int directory_fd, const char *path)
{
	audit_link(guard, directory_fd, path);
	if (git_layout_is_git_dir(directory_fd))
		audit_git_dir(guard, directory_fd, path);
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
		_cleanup_fd_ int fd = openat(git_dir_fd, modules.items[i], DIRECTORY_FLAGS);

		if (fd >= 0)
			audit_git_dir(guard, fd, module);
	}
	strv_done(&modules);
}

void
guard_git_audit(struct guard *guard, const struct guard_directory *directory)
{
	const struct dirent *entry;
	struct stat st;
	DIR *stream;
	int fd;

	/* Most file systems count subdirectories as links; without one there is no repository. */
	if (fstat(directory->host_fd, &st) == 0 && st.st_nlink == 2)
		return;
	fd = openat(directory->host_fd, ".", DIRECTORY_FLAGS);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream == NULL) {
		fd_close(fd);
		return;
	}
	audit_directory(guard, fd, directory->path);
	audit_modules(guard, fd, directory->path);
	for (size_t i = 0; i < GUARD_AUDIT_ENTRIES_MAX && (entry = readdir(stream)) != NULL; i++) {
		_cleanup_free_ char *path = path_join(directory->path, entry->d_name);
		_cleanup_fd_ int below_fd = -1;

		if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
		    str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..") ||
		    str_equal(entry->d_name, ".git"))
			continue;
		below_fd = openat(fd, entry->d_name, DIRECTORY_FLAGS);
		if (below_fd >= 0)
			audit_directory(guard, below_fd, path);
	}
	closedir(stream);
}
