/* The file of --report; see report.h. */
#include "broker/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define OPEN_FLAGS (O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY)
#define REPORT_MODE 0644
/* As the kernel's MAXSYMLINKS. */
#define SYMLINKS_MAX 40

/* Where a path leads: `current` is resolved, `rest` is not yet. */
struct walk {
	char *current;
	char *rest;
	size_t symlinks;
};

static void
walk_done(struct walk *walk)
{
	free(walk->current);
	free(walk->rest);
}

/* `link` at walk->current, with `after` behind it. */
static int
follow(struct walk *walk, const struct plan *plan, const char *link, const char *after, struct error *err)
{
	char target[PATH_MAX];
	char *rest;
	ssize_t n;

	if (plan_is_in_writable(plan, walk->current))
		return error_set(err, -ELOOP,
				 "%s is a symlink that a command inside could have made: name the file that is meant",
				 link);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0 || ++walk->symlinks > SYMLINKS_MAX)
		return error_set_errno(err, n < 0 ? -errno : -ELOOP, "%s", link);
	target[n] = '\0';
	if (target[0] == '/') {
		free(walk->current);
		walk->current = mem_strdup("/");
	}
	rest = mem_printf("%s/%s", target, after);
	free(walk->rest);
	walk->rest = rest;
	return 0;
}

/* One component. 1: nothing is left, or only what proc itself knows the way through. */
static int
step(struct walk *walk, const struct plan *plan, struct error *err)
{
	char *rest = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(rest, "/");
	_cleanup_free_ char *name = mem_strndup(rest, length);
	_cleanup_free_ char *next = path_normalize(walk->current, name);
	char *after;
	struct stat status;

	if (length == 0 || path_is_beneath(walk->current, "/proc"))
		return 1;
	if (lstat(next, &status) == 0 && S_ISLNK(status.st_mode))
		return follow(walk, plan, next, rest + length, err);
	after = mem_strdup(rest + length);
	free(walk->rest);
	walk->rest = after;
	free(walk->current);
	walk->current = TAKE_PTR(next);
	return 0;
}

static int
fd_or_errno(int fd)
{
	return fd < 0 ? -errno : fd;
}

/* A path without symlinks, as it was found to be: one that has come since is not followed. */
static int
open_resolved(const char *path)
{
	struct open_how how = { .flags = OPEN_FLAGS, .mode = REPORT_MODE,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	/* Where a sandbox around porta keeps openat2 from it. */
	if (fd < 0 && errno == ENOSYS)
		fd = open(path, OPEN_FLAGS | O_NOFOLLOW, REPORT_MODE);
	return fd_or_errno(fd);
}

int
report_open(const struct plan *plan, const char *path, struct error *err)
{
	char start[PATH_MAX] = "/";
	struct walk walk;
	int r;

	if (path[0] != '/' && getcwd(start, sizeof(start)) == NULL)
		return error_set_errno(err, -errno, "cannot find the working directory");
	walk = (struct walk){ .current = mem_strdup(start), .rest = mem_strdup(path) };
	do
		r = step(&walk, plan, err);
	while (r == 0);
	if (r == 1) {
		r = path_is_beneath(walk.current, "/proc") ? fd_or_errno(open(path, OPEN_FLAGS, REPORT_MODE))
							   : open_resolved(walk.current);
		if (r < 0)
			error_set_errno(err, r, "cannot write it");
	}
	walk_done(&walk);
	return r;
}
