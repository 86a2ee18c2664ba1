/*
 * The guard: holds the protected names during the run; see guard.h.
 *
 * Theory of operation
 *
 * Each directory with protected names is open twice: as the host sees it, where names are moved (a
 *rename between two mounts fails, and quarantine is outside the sandbox), and through the sandbox's
 *mounts, where mounts are made. dnotify tells of each that something in it was made, renamed or
 *removed. It is set for one event at a time and set again before the guard looks: a program that
 *makes thousands of files costs one signal a look, and no change after the look began is missed.
 *(inotify would do the same, but closing its group takes 13 to 15 ms.)
 *
 * A look compares each name with the state that it is in:
 *
 *	absent		what is there now is taken to quarantine, and a placeholder is made and held
 *	held		what is there is the inode that is mounted read-only; if not, a program
 *outside has replaced it, and it is mounted again placeholder	the same, and nothing is in it
 *	symlink		it is the same symlink; if not, it is made again
 *
 * A program inside can run between any two steps. No step trusts what an earlier one saw: a mount
 *is compared with the inode that was meant after it stands, when nobody inside can move it any
 *more, and a step that lost is done again. The last look, when every program inside is dead,
 *settles what is left.
 *
 * A watched directory that does not exist yet is opened, and pinned in place by a mount, when it
 *appears; so is one that a program outside replaced.
 */
#include "sandbox/linux/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "sandbox/control.h"
#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

/* Rounds of taking a name that programs inside keep making; the next event goes on. */
#define TAKE_ROUNDS_MAX 32

/*
 * How long the making of a plan can take, and a directory be looked at again for what was made
 * meanwhile.
 */
#define FRESH_SECONDS 2

static void look_at_directory(struct guard *guard, size_t index);

/* Tells the broker, if it is there; a newline in a path would end its line. */
void
guard_tell(struct guard *guard, enum guard_event event, const char *label, const char *path,
	   const char *third)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_put_printable(&text, label);
	strbuf_putc(&text, '\n');
	strbuf_put_printable(&text, path);
	strbuf_putc(&text, '\n');
	strbuf_put_printable(&text, third);
	control_send_event(guard->control_fd, CONTROL_EVENT_GUARD, (int)event, text.text, -1);
	strbuf_done(&text);
}

bool
guard_knows(const struct guard *guard, const char *path)
{
	for (size_t i = 0; i < guard->watches_count; i++) {
		struct guard_directory *directory =
		    &guard->directories[guard->watches[i].directory];
		size_t n = strlen(directory->path);

		if (directory->host_fd >= 0 && strncmp(path, directory->path, n) == 0 &&
		    path[n] == '/' && str_equal(path + n + 1, guard->watches[i].plan->name))
			return true;
	}
	return false;
}

/* The next event in the directory is told by a signal. */
static int
arm(const struct guard_directory *directory)
{
	unsigned long events = DN_CREATE | DN_DELETE | DN_RENAME;

	if (directory->wants_writes)
		events |= DN_MODIFY;
	return fcntl(directory->host_fd, F_NOTIFY, events) < 0 ? -errno : 0;
}

static void
tell_watch(struct guard *guard, enum guard_event event, const struct guard_watch *watch,
	   const char *third)
{
	_cleanup_free_ char *path =
	    path_join(guard->directories[watch->directory].path, watch->plan->name);

	guard_tell(guard, event, watch->plan->label, path, third);
}

/* Nothing is mounted at the name any more, or will not be. */
static void
release(struct guard_watch *watch)
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
	release(watch);
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
				arm(directory);
			}
			return true;
		}
		if (fstatat(directory->host_fd, watch->plan->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			release(watch);
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
	release(watch);
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

static void
look_at_watch(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	const char *name = watch->plan->name;
	bool is_same = false;
	struct stat st;

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
				release(watch);
			return;
		}
		if (watch->state == GUARD_SYMLINK && points_to(directory, name, watch->text))
			return;
		react(guard, watch, &st);
	}
	if (watch->state == GUARD_HELD)
		guard_git_check(guard, watch);
}

/* The part of a watched directory's path that lies just below its parent, as an absolute path. */
static char *
component_path(const struct guard *guard, const struct guard_directory *directory)
{
	return path_join(guard->directories[directory->parent].path, directory->component);
}

static void
close_directory(struct guard *guard, size_t index)
{
	struct guard_directory *directory = &guard->directories[index];

	fd_close(TAKE_FD(directory->host_fd));
	fd_close(TAKE_FD(directory->sandbox_fd));
	for (size_t i = 0; i < guard->watches_count; i++) {
		if (guard->watches[i].directory == index &&
		    guard->watches[i].state == GUARD_PLACEHOLDER)
			release(&guard->watches[i]);
	}
}

static int
open_directory(struct guard_directory *directory, int host_root_fd)
{
	_cleanup_fd_ int host_fd =
	    guard_open(host_root_fd, directory->path, O_RDONLY | O_DIRECTORY);

	if (host_fd < 0 || fcntl(host_fd, F_SETSIG, GUARD_SIGNAL) < 0)
		return -errno;
	directory->host_fd = TAKE_FD(host_fd);
	return arm(directory);
}

/*
 * Holds each directory from below `above` down to `path` in place; false if one is none, or
 * changes.
 */
static bool
pin_down_to(struct guard *guard, const char *above, const char *path)
{
	size_t offset = strlen(above);

	while (path[offset] != '\0') {
		size_t length = 1 + strcspn(path + offset + 1, "/");
		_cleanup_free_ char *name = mem_strndup(path + offset + 1, length - 1);
		_cleanup_free_ char *parent = mem_strndup(path, MAX(offset, (size_t)1));
		_cleanup_fd_ int host_fd =
		    guard_open(guard->host_root_fd, parent, O_PATH | O_DIRECTORY);
		_cleanup_fd_ int sandbox_fd = guard_open(AT_FDCWD, parent, O_PATH | O_DIRECTORY);
		struct guard_directory place = { .host_fd = host_fd, .sandbox_fd = sandbox_fd };
		struct stat st;

		if (host_fd < 0 || sandbox_fd < 0 ||
		    fstatat(host_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return false;
		if (!guard->is_ending && !guard_is_mounted(&place, name, st.st_dev, st.st_ino) &&
		    guard_mount(&place, name, false, st.st_dev, st.st_ino) < 0)
			return false;
		offset += length;
	}
	return true;
}

/*
 * A name on the way to a watched directory is no directory: it is taken as if it were the protected
 * name.
 */
static void
take_component(struct guard *guard, size_t index)
{
	struct guard_directory *directory = &guard->directories[index];
	struct guard_directory *parent = &guard->directories[directory->parent];
	_cleanup_free_ char *path = component_path(guard, directory);
	_cleanup_free_ char *kept = NULL;
	const char *label = directory->component;

	for (size_t i = 0; i < guard->watches_count; i++) {
		if (guard->watches[i].directory == index)
			label = guard->watches[i].plan->label;
	}
	if (guard_quarantine_take(guard, parent, directory->component, &kept) == 0)
		guard_tell(guard, GUARD_EVENT_TAKEN, label, path, kept);
}

/*
 * The directory at `index`, whose parent is open, appeared, or was replaced by a program outside.
 */
static void
reopen_directory(struct guard *guard, size_t index, const struct stat *component)
{
	struct guard_directory *directory = &guard->directories[index];

	close_directory(guard, index);
	directory->component_device = component->st_dev;
	directory->component_inode = component->st_ino;
	if (!S_ISDIR(component->st_mode)) {
		take_component(guard, index);
		return;
	}
	if (pin_down_to(guard, guard->directories[directory->parent].path, directory->path) &&
	    open_directory(directory, guard->host_root_fd) == 0)
		look_at_directory(guard, index);
}

static void
look_at_child(struct guard *guard, size_t index)
{
	struct guard_directory *directory = &guard->directories[index];
	const struct guard_directory *parent = &guard->directories[directory->parent];
	struct stat st;

	if (fstatat(parent->host_fd, directory->component, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		close_directory(guard, index);
		directory->component_inode = 0;
	} else if (directory->host_fd < 0 || st.st_ino != directory->component_inode ||
		   st.st_dev != directory->component_device) {
		reopen_directory(guard, index, &st);
	}
}

/* git writes NAME.lock and renames it over NAME, which a mount there refuses with EBUSY: git-config(1). */
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

static void
look_at_directory(struct guard *guard, size_t index)
{
	struct guard_directory *directory = &guard->directories[index];

	if (directory->host_fd < 0)
		return;
	arm(directory);
	for (size_t i = 0; i < guard->directories_count; i++) {
		if (guard->directories[i].parent == index)
			look_at_child(guard, i);
	}
	for (size_t i = 0; i < guard->watches_count; i++) {
		if (guard->watches[i].directory == index) {
			look_for_lock(guard, &guard->watches[i]);
			look_at_watch(guard, &guard->watches[i]);
		}
	}
}

void
guard_look(struct guard *guard, int directory_fd)
{
	size_t wanted = GUARD_NO_DIRECTORY;

	if (guard == NULL)
		return;
	for (size_t i = 0; i < guard->directories_count && directory_fd >= 0; i++) {
		if (guard->directories[i].host_fd == directory_fd)
			wanted = i;
	}
	for (size_t i = 0; i < guard->watches_count && directory_fd >= 0; i++) {
		if (guard->watches[i].placeholder_fd == directory_fd)
			wanted = guard->watches[i].directory;
	}
	for (size_t i = 0; i < guard->directories_count; i++) {
		if (wanted == GUARD_NO_DIRECTORY || wanted == i)
			look_at_directory(guard, i);
	}
}

/* The index of a directory to watch; one that does not exist is opened when it appears. */
static size_t
add_directory(struct guard *guard, const char *path)
{
	struct guard_directory *directory;

	for (size_t i = guard->directories_count; i-- > 0;) {
		if (str_equal(guard->directories[i].path, path))
			return i;
	}
	MEM_GROW(guard->directories, guard->directories_capacity, guard->directories_count);
	directory = &guard->directories[guard->directories_count];
	*directory = (struct guard_directory){ .path = mem_strdup(path),
					       .host_fd = -1,
					       .sandbox_fd = -1,
					       .parent = GUARD_NO_DIRECTORY };
	return guard->directories_count++;
}

static void
find_parent(struct guard *guard, size_t index)
{
	struct guard_directory *directory = &guard->directories[index];
	size_t longest = 0;
	const char *below;

	for (size_t i = 0; i < guard->directories_count; i++) {
		size_t n = strlen(guard->directories[i].path);

		if (i != index && n > longest &&
		    path_is_beneath(directory->path, guard->directories[i].path)) {
			longest = n;
			directory->parent = i;
		}
	}
	if (directory->parent == GUARD_NO_DIRECTORY)
		return;
	below = directory->path + longest + 1;
	directory->component = mem_strndup(below, strcspn(below, "/"));
}

/*
 * Opens each directory; of one that does not exist, what is above it is watched too, up to one that
 * exists.
 */
static int
open_directories(struct guard *guard, struct error *err)
{
	for (size_t i = 0; i < guard->directories_count; i++) {
		const char *path = guard->directories[i].path;
		int r = open_directory(&guard->directories[i], guard->host_root_fd);

		if (r == -ENOENT) {
			_cleanup_free_ char *above = path_dirname(path);

			add_directory(guard, above);
		} else if (r < 0) {
			return error_set_errno(err, r, "cannot watch %s for protected names%s",
					       path,
					       r == -EINVAL ? " (see fs.dir-notify-enable in "
							      "proc_sys_fs(5))"
							    : "");
		}
	}
	return 0;
}

/* `was_made`: directories exist by now that the plan could not pin. */
static void
link_directory(struct guard *guard, size_t index, bool was_made)
{
	struct guard_directory *directory = &guard->directories[index];
	const struct guard_directory *parent;
	struct stat st;

	if (directory->host_fd >= 0 && fstat(directory->host_fd, &st) == 0)
		directory->is_fresh = st.st_ctim.tv_sec + FRESH_SECONDS >= guard->started.tv_sec;
	find_parent(guard, index);
	if (directory->parent == GUARD_NO_DIRECTORY)
		return;
	parent = &guard->directories[directory->parent];
	if (parent->host_fd < 0 ||
	    fstatat(parent->host_fd, directory->component, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	directory->component_device = st.st_dev;
	directory->component_inode = st.st_ino;
	if (was_made)
		pin_down_to(guard, parent->path, directory->path);
}

static void
start_watch(struct guard *guard, struct guard_watch *watch)
{
	struct guard_directory *directory = &guard->directories[watch->directory];
	char target[PATH_MAX];
	struct stat st;

	if (directory->host_fd < 0 ||
	    (!watch->plan->exists && !watch->plan->is_symlink && !directory->is_fresh) ||
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

/*
 * porta's own data directory, where it is writable inside and does not exist, is made now and held,
 * not when it is needed.
 */
static bool
make_own_directory(struct guard *guard)
{
	const char *quarantine = guard->plan->quarantine_path;

	for (size_t i = 0; i < guard->watches_count && quarantine != NULL; i++) {
		const struct protect_watch *plan = guard->watches[i].plan;
		_cleanup_free_ char *path = path_join(plan->directory, plan->name);

		if (!plan->exists && !plan->is_symlink && path_is_beneath(quarantine, path))
			return guard_quarantine_open(guard) >= 0;
	}
	return false;
}

static void
add_watches(struct guard *guard)
{
	const struct plan *plan = guard->plan;
	size_t last = GUARD_NO_DIRECTORY;

	guard->watches = mem_zalloc(plan->watches_count, sizeof(guard->watches[0]));
	guard->watches_count = plan->watches_count;
	for (size_t i = 0; i < plan->watches_count; i++) {
		/* The plan has those of one directory in a row. */
		if (last == GUARD_NO_DIRECTORY ||
		    !str_equal(guard->directories[last].path, plan->watches[i].directory))
			last = add_directory(guard, plan->watches[i].directory);
		guard->watches[i] = (struct guard_watch){ .plan = &plan->watches[i],
							  .directory = last,
							  .placeholder_fd = -1 };
	}
}

static void
guard_free(struct guard *guard)
{
	for (size_t i = 0; i < guard->watches_count; i++) {
		fd_close(guard->watches[i].placeholder_fd);
		free(guard->watches[i].text);
	}
	for (size_t i = 0; i < guard->directories_count; i++) {
		fd_close(guard->directories[i].host_fd);
		fd_close(guard->directories[i].sandbox_fd);
		free(guard->directories[i].path);
		free(guard->directories[i].component);
	}
	free(guard->watches);
	free(guard->directories);
	guard_quarantine_close(guard);
	free(guard->quarantine_path);
	free(guard);
}

int
guard_start(const struct plan *plan, int host_root_fd, int control_fd, struct guard **ret_guard,
	    struct error *err)
{
	struct guard *guard;
	bool was_made;
	int r;

	*ret_guard = NULL;
	if (plan->watches_count == 0)
		return 0;
	guard = MEM_NEW(struct guard);
	guard->plan = plan;
	guard->host_root_fd = host_root_fd;
	guard->control_fd = control_fd;
	guard->quarantine_fd = -1;
	clock_gettime(CLOCK_REALTIME_COARSE, &guard->started);
	add_watches(guard);
	was_made = make_own_directory(guard);
	r = open_directories(guard, err);
	if (r < 0) {
		guard_free(guard);
		return r;
	}
	for (size_t i = 0; i < guard->directories_count; i++)
		link_directory(guard, i, was_made);
	for (size_t i = 0; i < guard->watches_count; i++)
		start_watch(guard, &guard->watches[i]);
	*ret_guard = guard;
	return 0;
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

/* What nobody has read of the events: the last look, which costs nothing where nothing happened. */
static void
look_at_pending(struct guard *guard)
{
	const struct timespec none = { 0 };
	siginfo_t info;
	sigset_t signals;
	int number;

	sigemptyset(&signals);
	sigaddset(&signals, GUARD_SIGNAL);
	sigaddset(&signals, SIGIO);
	while ((number = sigtimedwait(&signals, &info, &none)) > 0 || errno == EINTR) {
		if (number > 0)
			guard_look(guard, number == SIGIO ? -1 : info.si_fd);
	}
}

/* The top of each -v mount, but not the git directories that came with it. */
static void
audit(struct guard *guard)
{
	for (size_t i = 0; i < guard->directories_count; i++) {
		struct guard_directory *directory = &guard->directories[i];

		for (size_t j = 0; j < guard->plan->mounts_count && directory->host_fd >= 0; j++) {
			const struct plan_mount *mount = &guard->plan->mounts[j];

			if (mount->kind == PLAN_MOUNT_WRITABLE &&
			    str_equal(mount->path, directory->path))
				guard_git_audit(guard, directory);
		}
	}
}

void
guard_end(struct guard *guard)
{
	if (guard == NULL)
		return;
	guard->is_ending = true;
	look_at_pending(guard);
	for (size_t i = 0; i < guard->watches_count; i++) {
		/* A write through a mapping sends no event. */
		if (guard->watches[i].was_exposed && guard->watches[i].state == GUARD_HELD)
			guard_git_check(guard, &guard->watches[i]);
		/* A program outside that wrote it did take its place. */
		if (guard->watches[i].saw_lock && !guard->watches[i].was_exposed)
			tell_watch(guard, GUARD_EVENT_REFUSED, &guard->watches[i], "");
		if (guard->watches[i].state == GUARD_PLACEHOLDER)
			clear_placeholder(guard, &guard->watches[i]);
	}
	audit(guard);
	guard_free(guard);
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
static void
settle_name(struct guard *guard, struct guard_directory *directory, const struct protect_watch *watch)
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
guard_settle(const struct plan *plan, int control_fd)
{
	struct guard *guard = MEM_NEW(struct guard);
	_cleanup_fd_ int host_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	guard->plan = plan;
	guard->host_root_fd = host_root_fd;
	guard->control_fd = control_fd;
	guard->quarantine_fd = -1;
	clock_gettime(CLOCK_REALTIME_COARSE, &guard->started);
	for (size_t i = 0; i < plan->watches_count && host_root_fd >= 0; i++) {
		const struct protect_watch *watch = &plan->watches[i];
		_cleanup_free_ char *path = mem_strdup(watch->directory);
		struct guard_directory directory = { .path = path, .sandbox_fd = -1 };

		if (watch->exists || watch->is_symlink)
			continue;
		directory.host_fd = guard_open(host_root_fd, watch->directory,
					       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory.host_fd >= 0)
			settle_name(guard, &directory, watch);
		fd_close(directory.host_fd);
	}
	guard_free(guard);
}
