/* One protected name: from one state to the next; see guard.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/control.h"
#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

/* Rounds of taking a name that programs inside keep making; the next event goes on. */
#define TAKE_ROUNDS_MAX 32

static void
tell_watch(struct guard *guard, enum guard_event event, const struct guard_watch *watch,
	   const char *third)
{
	_cleanup_free_ char *path =
	    path_join(guard->directories[watch->directory].path, watch->plan->name);

	guard_tell(guard, event, watch->plan->label, path, third);
}


void
guard_watch_release(struct guard_watch *watch)
{
	fd_close(TAKE_FD(watch->placeholder_fd));
	watch->state = GUARD_ABSENT;
}

bool
guard_hold(struct guard *guard, struct guard_watch *watch, const struct stat *st)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	int r = 0;

	if (!guard->is_ending)
		r = guard_mount(directory, watch->plan->name, true, st->st_dev, st->st_ino);
	if (r == -EAGAIN)
		return false;
	watch->state = GUARD_HELD;
	watch->device = st->st_dev;
	watch->inode = st->st_ino;
	return true;
}

/*
 * Mounts the empty directory at the name, and watches it where something in it would do harm: who
 * had it open before the mount stood can still put something in. False: something else has the
 * name.
 */
static bool
hold_placeholder(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;
	_cleanup_fd_ int fd = -1;
	struct stat st;

	fd = openat(directory->host_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (watch->plan->is_directory &&
	    (fcntl(fd, F_SETSIG, GUARD_SIGNAL) < 0 ||
	     fcntl(fd, F_NOTIFY, DN_CREATE | DN_RENAME | DN_MULTISHOT) < 0))
		return false;
	if (!guard_hold(guard, watch, &st))
		return false;
	watch->state = GUARD_PLACEHOLDER;
	watch->placeholder_fd = TAKE_FD(fd);
	if (!watch->plan->is_directory || guard_is_empty_directory(directory->host_fd, name))
		return true;
	guard_unmount(directory, name);
	guard_watch_release(watch);
	return false;
}

/* Makes a placeholder and mounts it; false: something else took the name meanwhile. */
static bool
make_placeholder(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;
	_cleanup_free_ char *path = path_join(directory->path, name);

	control_send_event(guard->control_fd, CONTROL_EVENT_PLACEHOLDER, 0, path, -1);
	if (mkdirat(directory->host_fd, name, GUARD_PLACEHOLDER_MODE) < 0)
		return errno != EEXIST; /* a full disk: the name stays watched */
	return hold_placeholder(guard, watch);
}

/*
 * Whether it is a placeholder: of another sandbox in the same directory, or like one and so
 * harmless.
 */
static bool
is_placeholder(const struct guard_directory *directory, const char *name, const struct stat *st)
{
	return S_ISDIR(st->st_mode) && (st->st_mode & 0777) == GUARD_PLACEHOLDER_MODE &&
	       guard_is_empty_directory(directory->host_fd, name);
}

/* Takes away what is at the name, until nothing is, and a placeholder stands. */
static void
take(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;

	for (int round = 0; round < TAKE_ROUNDS_MAX; round++) {
		_cleanup_free_ char *kept = NULL;
		struct stat st;
		int r;

		if (fstatat(directory->host_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (guard->is_ending || round == 0 || make_placeholder(guard, watch))
				return;
			continue;
		}
		r = guard_quarantine_take(guard, directory, name, &kept);
		if (r == -ENOENT)
			continue;
		if (r < 0) {
			tell_watch(guard, GUARD_EVENT_LEFT, watch, "");
			guard_hold(guard, watch, &st);
			return;
		}
		tell_watch(guard, GUARD_EVENT_TAKEN, watch, kept);
		if (!guard->is_ending && make_placeholder(guard, watch))
			return;
	}
}

static void
put_back_symlink(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;
	_cleanup_free_ char *kept = NULL;

	for (int round = 0; round < TAKE_ROUNDS_MAX; round++) {
		char *path = NULL;

		if (symlinkat(watch->text, directory->host_fd, name) == 0) {
			tell_watch(guard, GUARD_EVENT_PUT_BACK, watch, kept ? kept : "");
			return;
		}
		if (guard_quarantine_take(guard, directory, name, &path) == 0) {
			free(kept);
			kept = path;
		}
	}
}

/*
 * Mounts again what a program outside put in the place of what was held; false if that is no file
 * or directory.
 */
static bool
hold_again(struct guard *guard, struct guard_watch *watch, struct stat st)
{
	struct guard_directory *directory = &guard->directories[watch->directory];

	for (int round = 0; round < TAKE_ROUNDS_MAX; round++) {
		if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return false;
		if (guard_hold(guard, watch, &st)) {
			watch->was_exposed = true;
			if (watch->plan->is_git_config && !directory->wants_writes) {
				directory->wants_writes = true;
				guard_arm(directory);
			}
			return true;
		}
		if (fstatat(directory->host_fd, watch->plan->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			guard_watch_release(watch);
			return true;
		}
	}
	return false;
}

/* The name is not as its state says: `st` is there. */
static void
react(struct guard *guard, struct guard_watch *watch, const struct stat *st)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;

	if (watch->state == GUARD_SYMLINK) {
		put_back_symlink(guard, watch);
		return;
	}
	if (watch->state == GUARD_HELD && hold_again(guard, watch, *st))
		return;
	if (watch->state != GUARD_ABSENT)
		guard_unmount(directory, name);
	guard_watch_release(watch);
	if (guard->is_ending || !is_placeholder(directory, name, st) ||
	    !hold_placeholder(guard, watch))
		take(guard, watch);
}

/*
 * The target and not the inode says that a symlink is the same: a new one may get the number of the
 * old.
 */
static bool
points_to(const struct guard_directory *directory, const char *name, const char *expected)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(directory->host_fd, name, target, sizeof(target));

	return n > 0 && (size_t)n == strlen(expected) && memcmp(target, expected, (size_t)n) == 0;
}

/* git writes NAME.lock and renames it over NAME, which a mount there refuses with EBUSY. */
static void
look_for_lock(const struct guard *guard, struct guard_watch *watch)
{
	_cleanup_free_ char *lock = NULL;
	struct stat st;

	if (!watch->plan->is_git_config || watch->state != GUARD_HELD || watch->saw_lock)
		return;
	lock = mem_printf("%s.lock", watch->plan->name);
	watch->saw_lock = fstatat(guard->directories[watch->directory].host_fd, lock, &st,
				  AT_SYMLINK_NOFOLLOW) == 0;
}

void
guard_watch_look(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;
	bool is_same = false;
	struct stat st;

	look_for_lock(guard, watch);
	if (watch->state == GUARD_HELD)
		is_same = guard_is_mounted(directory, name, watch->device, watch->inode);
	else if (watch->state == GUARD_PLACEHOLDER)
		is_same = guard_is_mounted(directory, name, watch->device, watch->inode) &&
			  (!watch->plan->is_directory ||
			   guard_is_empty_directory(directory->host_fd, name));
	if (!is_same) {
		if (fstatat(directory->host_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (watch->state == GUARD_SYMLINK)
				put_back_symlink(guard, watch);
			else
				guard_watch_release(watch);
			return;
		}
		if (watch->state == GUARD_SYMLINK && points_to(directory, name, watch->text))
			return;
		react(guard, watch, &st);
	}
	if (watch->state == GUARD_HELD)
		guard_git_check(guard, watch);
}

void
guard_watch_start(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	char target[PATH_MAX];
	struct stat st;

	if (directory->host_fd < 0 ||
	    (!watch->plan->exists && !watch->plan->is_symlink && !watch->plan->is_own &&
	     !directory->is_fresh) ||
	    fstatat(directory->host_fd, watch->plan->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	watch->device = st.st_dev;
	watch->inode = st.st_ino;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n =
		    readlinkat(directory->host_fd, watch->plan->name, target, sizeof(target));

		if (n <= 0)
			return;
		watch->text = mem_strndup(target, (size_t)n);
		watch->state = GUARD_SYMLINK;
	} else if (watch->plan->exists) {
		watch->state = GUARD_HELD;
		if (watch->plan->is_git_config)
			guard_git_note(guard, watch);
	} else if (is_placeholder(directory, watch->plan->name, &st)) {
		hold_placeholder(guard, watch);
	} else {
		guard_hold(guard, watch, &st); /* made by a program outside since the plan was */
	}
}

static void
clear_placeholder(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	_cleanup_free_ char *kept = NULL;

	guard_unmount(directory, watch->plan->name);
	if (unlinkat(directory->host_fd, watch->plan->name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return;
	/* Somebody has put something in. */
	if (guard_quarantine_take(guard, directory, watch->plan->name, &kept) == 0)
		tell_watch(guard, GUARD_EVENT_TAKEN, watch, kept);
}

void
guard_clear_placeholder(const char *text)
{
	struct stat st;

	if (text[0] == '/' && lstat(text, &st) == 0 && S_ISDIR(st.st_mode) &&
	    (st.st_mode & 0777) == GUARD_PLACEHOLDER_MODE)
		rmdir(text); /* fails where it is not empty */
}

/* What is there under a name that was not: a placeholder is removed, anything else is taken. */
void
guard_settle_name(struct guard *guard, struct guard_directory *directory, const struct protect_watch *watch)
{
	_cleanup_free_ char *path = path_join(directory->path, watch->name);
	_cleanup_free_ char *kept = NULL;
	struct stat st;

	guard_clear_placeholder(path);
	if (fstatat(directory->host_fd, watch->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    guard_quarantine_take(guard, directory, watch->name, &kept) == 0)
		guard_tell(guard, GUARD_EVENT_TAKEN, watch->label, path, kept);
}

void
guard_watch_end(struct guard *guard, struct guard_watch *watch)
{
	/* A write through a mapping sends no event. */
	if (watch->was_exposed && watch->state == GUARD_HELD)
		guard_git_check(guard, watch);
	/* A program outside that wrote it did take its place. */
	if (watch->saw_lock && !watch->was_exposed)
		tell_watch(guard, GUARD_EVENT_REFUSED, watch, "");
	if (watch->state == GUARD_PLACEHOLDER)
		clear_placeholder(guard, watch);
}
