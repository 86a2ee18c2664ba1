/*
 * Where the guard keeps what it takes away; see guard_internal.h. A name is renamed into a
 * directory of this run in porta's data directory. Where that is another file system, the name is
 * renamed aside where it is, and then copied over and removed; what is too large or too strange to
 * copy stays aside.
 *
 * The same where porta's data directory lies in a writable mount (-v ~). A directory that a program
 * inside holds open stays in that mount wherever it is renamed to, and ".." leads on from there past
 * every mount that was made below a pinned directory, those on protected names too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

/* Of one tree that is copied to another file system. */
#define COPY_ENTRIES_MAX 4096
#define COPY_BYTES_MAX	 (64LL * 1024 * 1024)
#define COPY_DEPTH_MAX	 32
/* The same tree removed, with what was added meanwhile. */
#define REMOVE_ENTRIES_MAX (2 * COPY_ENTRIES_MAX)
/* Of a name that is taken, as part of its name in quarantine. */
#define NAME_MAX_BYTES 128

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct copy_budget {
	size_t entries;
	off_t bytes;
};

/* A directory in the host's view, by an absolute path that may have symlinks. */
static int
open_in_host(const struct guard *guard, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT };
	int fd = (int)syscall(SYS_openat2, guard->host_root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int
guard_make_directories(const struct guard *guard, const char *path)
{
	_cleanup_free_ char *above = path_dirname(path);
	int fd = open_in_host(guard, path);
	_cleanup_fd_ int above_fd = -1;

	if (fd != -ENOENT)
		return fd;
	above_fd = str_equal(path, "/") ? -ENOENT : guard_make_directories(guard, above);
	if (above_fd < 0)
		return above_fd;
	if (mkdirat(above_fd, path_basename(path), 0700) < 0 && errno != EEXIST)
		return -errno;
	return open_in_host(guard, path);
}

/* Whether a directory is a writable mount's or below it, by inodes: each may have several paths. */
static bool
is_in_writable_mount(const struct guard *guard, int directory_fd)
{
	_cleanup_fd_ int fd = openat(directory_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct plan_inode below = { 0 };
	struct stat st;

	while (fd >= 0 && fstat(fd, &st) == 0) {
		int above_fd;

		if (st.st_dev == below.device && st.st_ino == below.number)
			return false; /* the root directory, whose parent is itself */
		for (size_t i = 0; i < guard->plan->mounts_count; i++) {
			const struct plan_mount *mount = &guard->plan->mounts[i];

			if (mount->kind == PLAN_MOUNT_WRITABLE &&
			    mount->inode.device == st.st_dev && mount->inode.number == st.st_ino)
				return true;
		}
		below = (struct plan_inode){ .device = st.st_dev, .number = st.st_ino };
		above_fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_close(fd);
		fd = above_fd;
	}
	return true;
}

int
guard_quarantine_open(struct guard *guard)
{
	unsigned int random = 0;
	struct tm now;
	_cleanup_free_ char *path = NULL;
	int fd;

	if (guard->quarantine_fd >= 0)
		return guard->quarantine_fd;
	if (guard->plan->quarantine_path == NULL)
		return -1;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (unsigned int)guard->started.tv_nsec;
	gmtime_r(&guard->started.tv_sec, &now);
	path = mem_printf("%s/%04d%02d%02d-%02d%02d%02d-%08x", guard->plan->quarantine_path,
			  now.tm_year + 1900, now.tm_mon + 1, now.tm_mday, now.tm_hour, now.tm_min,
			  now.tm_sec, random);
	fd = guard_make_directories(guard, path);
	if (fd < 0)
		return -1;
	guard->quarantine_fd = fd;
	guard->is_quarantine_inside = is_in_writable_mount(guard, fd);
	guard->quarantine_path = TAKE_PTR(path);
	return fd;
}

void
guard_quarantine_close(struct guard *guard)
{
	_cleanup_free_ char *above = NULL;
	_cleanup_fd_ int above_fd = -1;

	if (guard->quarantine_fd < 0)
		return;
	fd_close(TAKE_FD(guard->quarantine_fd));
	above = path_dirname(guard->quarantine_path);
	above_fd = open_in_host(guard, above);
	/* It stays if there is anything in it. */
	if (above_fd >= 0)
		unlinkat(above_fd, path_basename(guard->quarantine_path), AT_REMOVEDIR);
}

static int copy_entry(int from_fd, const char *from, int to_fd, const char *to, int depth,
		      struct copy_budget *budget);

static int
copy_file(int from_fd, const char *from, int to_fd, const char *to, const struct stat *expected,
	  struct copy_budget *budget)
{
	_cleanup_fd_ int in = openat(from_fd, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_fd_ int out = -1;
	char bytes[65536];
	struct stat st;

	/* It may have been exchanged for a FIFO since. */
	if (in < 0 || fstat(in, &st) < 0 || st.st_ino != expected->st_ino || !S_ISREG(st.st_mode))
		return -EAGAIN;
	out = openat(to_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     st.st_mode & 0700);
	if (out < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(in, bytes, sizeof(bytes));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if ((budget->bytes -= n) < 0)
			return -EFBIG;
		r = fd_write_all(out, bytes, (size_t)n);
		if (r < 0)
			return r;
	}
}

static int
copy_symlink(int from_fd, const char *from, int to_fd, const char *to)
{
	char target[4096];
	ssize_t n = readlinkat(from_fd, from, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to_fd, to) < 0 ? -errno : 0;
}

/* Calls `fn` for each entry of an open directory, until one fails. Takes the descriptor over. */
static int
for_each_entry(int directory_fd, int (*fn)(int directory_fd, const char *name, void *data),
	       void *data)
{
	DIR *stream = fdopendir(directory_fd);
	const struct dirent *entry;
	int r = 0;

	if (stream == NULL) {
		fd_close(directory_fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(stream)) != NULL) {
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			r = fn(directory_fd, entry->d_name, data);
	}
	closedir(stream);
	return r;
}

struct copy_state {
	int to_fd;
	int depth;
	struct copy_budget *budget;
};

static int
copy_child(int directory_fd, const char *name, void *data)
{
	const struct copy_state *state = data;

	return copy_entry(directory_fd, name, state->to_fd, name, state->depth + 1, state->budget);
}

static int
copy_directory(int from_fd, const char *from, int to_fd, const char *to, int depth,
	       struct copy_budget *budget)
{
	int in = openat(from_fd, from, DIRECTORY_FLAGS);
	_cleanup_fd_ int out = -1;

	if (in < 0)
		return -errno;
	if (mkdirat(to_fd, to, 0700) < 0 || (out = openat(to_fd, to, DIRECTORY_FLAGS)) < 0) {
		int r = -errno;

		fd_close(in);
		return r;
	}
	return for_each_entry(
	    in, copy_child, &(struct copy_state){ .to_fd = out, .depth = depth, .budget = budget });
}

static int
copy_entry(int from_fd, const char *from, int to_fd, const char *to, int depth,
	   struct copy_budget *budget)
{
	struct stat st;

	if (depth > COPY_DEPTH_MAX || budget->entries-- == 0)
		return -EFBIG;
	if (fstatat(from_fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_directory(from_fd, from, to_fd, to, depth, budget);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(from_fd, from, to_fd, to);
	if (S_ISREG(st.st_mode))
		return copy_file(from_fd, from, to_fd, to, &st, budget);
	return 0; /* a socket, FIFO or device has nothing in it */
}

/* `data` counts entries down: a program inside that has the directory open may add as fast as this removes. */
static int
remove_entry(int directory_fd, const char *name, void *data)
{
	size_t *left = data;
	int fd;

	if (*left == 0)
		return -EFBIG;
	--*left;
	if (unlinkat(directory_fd, name, 0) == 0)
		return 0;
	fd = openat(directory_fd, name, DIRECTORY_FLAGS);
	if (fd < 0)
		return -errno;
	for_each_entry(fd, remove_entry, left);
	return unlinkat(directory_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int
remove_tree(int directory_fd, const char *name)
{
	size_t left = REMOVE_ENTRIES_MAX;

	return remove_entry(directory_fd, name, &left);
}

/*
 * By a copy. What a program inside adds while it is copied goes, like what it removes,
 * unseen.
 */
static int
take_across(struct guard *guard, struct guard_directory *directory, const char *name,
	    const char *kept, char **ret_path)
{
	struct copy_budget budget = { .entries = COPY_ENTRIES_MAX, .bytes = COPY_BYTES_MAX };
	_cleanup_free_ char *aside =
	    mem_printf("%.*s.porta-taken-%08lx-%zu", NAME_MAX_BYTES, name,
		       (unsigned long)guard->started.tv_nsec, guard->taken_count);

	if (renameat(directory->host_fd, name, directory->host_fd, aside) < 0)
		return -errno;
	if (guard->quarantine_fd >= 0 &&
	    copy_entry(directory->host_fd, aside, guard->quarantine_fd, kept, 0, &budget) == 0) {
		remove_tree(directory->host_fd, aside);
		*ret_path = path_join(guard->quarantine_path, kept);
		return 0;
	}
	if (guard->quarantine_fd >= 0)
		remove_tree(guard->quarantine_fd, kept);
	*ret_path = path_join(directory->path, aside);
	return 0;
}

int
guard_quarantine_take(struct guard *guard, struct guard_directory *directory, const char *name,
		      char **ret_path)
{
	int fd = guard_quarantine_open(guard);
	_cleanup_free_ char *kept =
	    mem_printf("%zu-%.*s", ++guard->taken_count, NAME_MAX_BYTES, name);

	if (fd < 0 || guard->is_quarantine_inside)
		return take_across(guard, directory, name, kept, ret_path);
	if (renameat(directory->host_fd, name, fd, kept) == 0) {
		*ret_path = path_join(guard->quarantine_path, kept);
		return 0;
	}
	if (errno != EXDEV)
		return -errno;
	return take_across(guard, directory, name, kept, ret_path);
}

int
guard_quarantine_keep(struct guard *guard, const char *name, const char *text, size_t length,
		      char **ret_path)
{
	int fd = guard_quarantine_open(guard);
	_cleanup_free_ char *kept =
	    mem_printf("%zu-%.*s", ++guard->taken_count, NAME_MAX_BYTES, name);
	_cleanup_fd_ int out = -1;
	int r;

	if (fd < 0)
		return -ENOENT;
	out = openat(fd, kept, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	r = fd_write_all(out, text, length);
	if (r < 0)
		return r;
	*ret_path = path_join(guard->quarantine_path, kept);
	return 0;
}
