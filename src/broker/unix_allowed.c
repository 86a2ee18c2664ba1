/* The sockets of --allow-unix; see unix_allowed.h. */
#include "broker/unix_allowed.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/mem.h"
#include "util/path.h"

struct unix_allowed_item {
	char *path; /* absolute, without symlinks */
	bool pinned;
	int pinned_fd; /* or -1: nothing was there */
};

/* `path` without symlinks, as far as it exists; NULL where its directory does not. */
static char *
resolve(const char *path)
{
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *resolved = NULL;
	_cleanup_free_ char *expanded = NULL;
	const char *home = getenv("HOME");
	char *whole;

	if (str_starts_with(path, "~/") && home != NULL && home[0] == '/')
		path = expanded = path_join(home, path + 2);
	whole = realpath(path, NULL);
	if (whole != NULL)
		return whole;
	directory = path_dirname(path);
	resolved = realpath(directory, NULL);
	return resolved != NULL ? path_join(resolved, path_basename(path)) : NULL;
}

static int
open_exactly(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static bool
is_writable_inside(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (plan->mounts[i].kind == PLAN_MOUNT_WRITABLE &&
		    path_is_beneath(path, plan->mounts[i].path))
			return true;
	}
	return plan->tier != SANDBOX_TIER_NAMESPACES;
}

void
unix_allowed_init(struct unix_allowed *allowed, const struct strv *paths, const struct plan *plan)
{
	*allowed = (struct unix_allowed){ 0 };
	allowed->items = mem_zalloc(paths->count, sizeof(*allowed->items));
	for (size_t i = 0; i < paths->count; i++) {
		char *path = resolve(paths->items[i]);
		bool pinned;

		if (path == NULL)
			continue;
		pinned = is_writable_inside(plan, path);
		allowed->items[allowed->count++] = (struct unix_allowed_item){
			.path = path,
			.pinned = pinned,
			.pinned_fd = pinned ? open_exactly(path) : -1,
		};
	}
}

void
unix_allowed_done(struct unix_allowed *allowed)
{
	if (allowed == NULL)
		return;
	for (size_t i = 0; i < allowed->count; i++) {
		free(allowed->items[i].path);
		fd_close(allowed->items[i].pinned_fd);
	}
	free(TAKE_PTR(allowed->items));
	allowed->count = 0;
}

bool
unix_allowed_contains(const struct unix_allowed *allowed, const struct unix_path_file *file)
{
	for (size_t i = 0; i < allowed->count; i++) {
		const struct unix_allowed_item *item = &allowed->items[i];
		_cleanup_fd_ int opened_fd = item->pinned ? -1 : open_exactly(item->path);
		struct stat status;

		if (fstat(item->pinned ? item->pinned_fd : opened_fd, &status) == 0 &&
		    status.st_dev == file->device && status.st_ino == file->inode)
			return true;
	}
	return false;
}
