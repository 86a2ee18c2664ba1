/*
 * The guard: holds the protected names during the run; see guard.h.
 *
 * Theory of operation
 *
 * Each directory with protected names is open twice: as the host sees it, where names are moved (a
 * rename between two mounts fails, and quarantine is outside the sandbox), and through the
 * sandbox's mounts, where mounts are made. dnotify tells of each that something in it was made,
 * renamed or removed. It is set for one event at a time and set again before the guard looks: a
 * program that makes thousands of files costs one signal a look, and no change after the look began
 * is missed. (inotify would do the same, but closing its group takes 13 to 15 ms.)
 *
 * A look compares each name with the state that it is in (guard_watch.c):
 *
 * - absent: what is there now is taken to quarantine, and a placeholder is made and held.
 * - held: what is there is the inode that is mounted read-only; if not, a program outside has
 *   replaced it, and it is mounted again.
 * - placeholder: the same, and nothing is in it.
 * - symlink: it is the same symlink; if not, it is made again.
 *
 * A program inside can run between any two steps. No step trusts what an earlier one saw: a mount
 * is compared with the inode that was meant after it stands, when nobody inside can move it any
 * more, and a step that lost is done again. The last look, when every program inside is dead,
 * settles what is left.
 *
 * A watched directory that does not exist yet is opened, and pinned in place by a mount, when it
 * appears; so is one that a program outside replaced.
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
#include "util/os_linux.h"
#include "util/path.h"
#include "util/strings.h"

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
int
guard_arm(const struct guard_directory *directory)
{
	unsigned long events = DN_CREATE | DN_DELETE | DN_RENAME;

	if (directory->wants_writes)
		events |= DN_MODIFY;
	return fcntl(directory->host_fd, F_NOTIFY, events) < 0 ? -errno : 0;
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
			guard_watch_release(&guard->watches[i]);
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
	return guard_arm(directory);
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

static void
look_at_directory(struct guard *guard, size_t index)
{
	struct guard_directory *directory = &guard->directories[index];

	if (directory->host_fd < 0)
		return;
	guard_arm(directory);
	for (size_t i = 0; i < guard->directories_count; i++) {
		if (guard->directories[i].parent == index)
			look_at_child(guard, i);
	}
	for (size_t i = 0; i < guard->watches_count; i++) {
		if (guard->watches[i].directory == index) {
			guard_watch_look(guard, &guard->watches[i]);
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

static void
link_directory(struct guard *guard, size_t index)
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
}

/* Holds in place what of `path` is newer than the plan, which is all below the last mount on the way. */
static void
pin_made(struct guard *guard, const char *path)
{
	_cleanup_free_ char *above = mem_strdup(path);
	struct statx st;

	while (!str_equal(above, "/")) {
		char *parent;

		if (statx(AT_FDCWD, above, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_INO, &st) == 0 &&
		    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
			pin_down_to(guard, above, path);
			return;
		}
		parent = path_dirname(above);
		free(above);
		above = parent;
	}
}

/*
 * porta's own directories, where they would be writable inside and do not exist, are made now and held:
 * what lies in them is believed by the next run, and there must not be a moment in which it came from
 * inside. Where one cannot be made, on a full disk, it is taken away when it appears, like other names.
 */
static void
make_own_directories(struct guard *guard)
{
	for (size_t i = 0; i < guard->watches_count; i++) {
		const struct protect_watch *plan = guard->watches[i].plan;
		_cleanup_free_ char *path = NULL;
		int fd;

		if (!plan->is_own || plan->exists || plan->is_symlink)
			continue;
		path = path_join(plan->directory, plan->name);
		fd = guard_make_directories(guard, path);
		if (fd >= 0)
			pin_made(guard, plan->directory);
		fd_close(fd);
	}
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
							  .directory = (unsigned int)last,
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
	make_own_directories(guard);
	r = open_directories(guard, err);
	if (r < 0) {
		guard_free(guard);
		return r;
	}
	for (size_t i = 0; i < guard->directories_count; i++)
		link_directory(guard, i);
	for (size_t i = 0; i < guard->watches_count; i++)
		guard_watch_start(guard, &guard->watches[i]);
	*ret_guard = guard;
	return 0;
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
	for (size_t i = 0; i < guard->watches_count; i++)
		guard_watch_end(guard, &guard->watches[i]);
	audit(guard);
	/* What the guard holds besides goes with the process, which ends now. */
	guard_quarantine_close(guard);
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

		if (watch->exists || watch->is_symlink || watch->is_own)
			continue;
		directory.host_fd = guard_open(host_root_fd, watch->directory,
					       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory.host_fd >= 0)
			guard_settle_name(guard, &directory, watch);
		fd_close(directory.host_fd);
	}
	guard_free(guard);
}
