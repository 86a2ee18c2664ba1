/* What a caller's own magic links lead to; see caller_link.h. */
#include "broker/caller_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "util/fd.h"
#include "util/os_linux.h"
#include "util/strings.h"

/* What follows the component `name` at the front of an absolute path, or NULL where another is
 * there. */
static const char *
after(const char *path, const char *name)
{
	size_t slashes = path != NULL ? strspn(path, "/") : 0;
	size_t length = strlen(name);

	if (slashes == 0 || !str_starts_with(path + slashes, name))
		return NULL;
	path += slashes + length;
	return *path == '/' || *path == '\0' ? path : NULL;
}

/* `rest` is what follows the link: a path of its own from there. */
static const char *
from_there(const char *rest)
{
	const char *path = rest + strspn(rest, "/");

	return *path == '\0' && path > rest ? "." : path;
}

static int
open_in_root(pid_t tid, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	_cleanup_fd_ int root_fd = -1;
	char root[64];

	snprintf(root, sizeof(root), "/proc/%d/root", (int)tid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0 ? -1 : (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

/* In a root of the caller's own making they may be something else, or nothing. */
static bool
has_proc(pid_t tid)
{
	_cleanup_fd_ int fd = open_in_root(tid, "proc", O_DIRECTORY);
	struct statfs facts;

	return fd >= 0 && fstatfs(fd, &facts) == 0 && facts.f_type == PROC_SUPER_MAGIC;
}

static bool
has_dev_fd(pid_t tid)
{
	static const char target[] = "/proc/self/fd";
	_cleanup_fd_ int fd = open_in_root(tid, "dev/fd", O_NOFOLLOW);
	char text[sizeof(target)];

	return fd >= 0 && readlinkat(fd, "", text, sizeof(text)) == (ssize_t)strlen(target) &&
	       memcmp(text, target, strlen(target)) == 0;
}

static int
take_descriptor(struct notify *notify, const struct notify_request *request, const char *number,
		struct caller_place *ret_place)
{
	char digits[16] = "";
	size_t n;
	uint64_t value;
	int r;

	number += strspn(number, "/");
	n = strcspn(number, "/");
	if (n == 0 || n >= sizeof(digits) || (*number == '0' && n > 1))
		return -ENOENT;
	memcpy(digits, number, n);
	if (str_parse_u64(digits, 0, INT_MAX, &value) < 0)
		return -ENOENT;
	r = notify_take_fd(notify, request, (int)value, &ret_place->fd);
	if (r < 0)
		return r == -EBADF ? -ENOENT : r;
	ret_place->path = from_there(number + n);
	return 0;
}

/* Resolves one link; true where another may follow, behind a root. */
static bool
resolve_one(struct notify *notify, const struct notify_request *request, const char *path,
	    struct caller_place *place, int *ret_result)
{
	const char *dev_fd = after(after(path, "dev"), "fd");
	const char *proc = after(path, "proc");
	const char *self = after(proc, "self");
	const char *rest;

	*place = (struct caller_place){ .fd = -1, .path = path };
	*ret_result = 0;
	if (self == NULL)
		self = after(proc, "thread-self");
	if ((self == NULL && (dev_fd == NULL || !has_dev_fd(request->tid))) ||
	    !has_proc(request->tid))
		return false;
	rest = self != NULL ? after(self, "fd") : dev_fd;
	if (rest != NULL) {
		*ret_result = take_descriptor(notify, request, rest, place);
		return false;
	}
	rest = after(self, "cwd");
	if (rest != NULL) {
		place->path = from_there(rest);
		if (place->path[0] == '\0')
			place->path = ".";
		return false;
	}
	rest = after(self, "root");
	if (rest != NULL)
		place->path = *rest == '\0' ? "/" : rest;
	return rest != NULL;
}

int
caller_link_resolve(struct notify *notify, const struct notify_request *request, const char *path,
		    struct caller_place *ret_place)
{
	int r;

	/* Each makes the path shorter. */
	while (resolve_one(notify, request, path, ret_place, &r))
		path = ret_place->path;
	return r;
}
