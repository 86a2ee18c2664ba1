/*
 * The guard and git: configurations that were replaced during the run are compared with what they
 * were. See guard_internal.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/git_config.h"
#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

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
