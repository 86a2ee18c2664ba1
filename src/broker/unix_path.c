/* Paths as the caller sees them; see unix_path.h. */
#include "broker/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/os_linux.h"
#include "util/path.h"
#include "util/strings.h"

/*
 * openat2 gives EAGAIN when a rename elsewhere made it unsure of ".."; the sandbox could do that
 * for ever.
 */
#define ATTEMPTS_MAX 8

static int
open_beneath(int dir_fd, const char *path, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = resolve | RESOLVE_NO_MAGICLINKS };
	int fd = -1;

	for (int i = 0; i < ATTEMPTS_MAX && fd < 0; i++) {
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd < 0 && errno != EAGAIN)
			break;
	}
	return fd >= 0 ? fd : -errno;
}

static int
open_link(pid_t tid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

/*
 * The text of a link in /proc: from the top of the caller's mount namespace, also where the
 * caller's root is below it.
 */
static char *
read_link(const char *path)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	if (n <= 0 || text[0] != '/')
		return NULL;
	text[n] = '\0';
	return mem_strdup(text);
}

/*
 * A relative path that leaves its directory (by "..", or by an absolute symlink): the
 * directory is put in front and all is resolved from the caller's root. openat from the directory's
 * own handle would follow an absolute symlink into the host's view.
 */
static int
open_from_root(int root_fd, pid_t tid, int directory_fd, const char *relative)
{
	char root_link[64];
	char directory_link[64];
	_cleanup_free_ char *root = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *whole = NULL;
	const char *below;

	snprintf(root_link, sizeof(root_link), "/proc/%d/root", (int)tid);
	snprintf(directory_link, sizeof(directory_link), "/proc/self/fd/%d", directory_fd);
	root = read_link(root_link);
	directory = read_link(directory_link);
	if (root == NULL || directory == NULL || !path_is_beneath(directory, root))
		return -ENOENT;
	below = str_equal(root, "/") ? directory : directory + strlen(root);
	whole = path_join(below, relative);
	return open_beneath(root_fd, whole, RESOLVE_IN_ROOT);
}

static int
open_relative(int root_fd, pid_t tid, int directory_fd, const char *path)
{
	_cleanup_fd_ int own_directory_fd = directory_fd >= 0 ? -1 : open_link(tid, "cwd");
	int from_fd = directory_fd >= 0 ? directory_fd : own_directory_fd;
	int fd;

	if (from_fd < 0)
		return from_fd;
	fd = open_beneath(from_fd, path, RESOLVE_BENEATH);
	return fd == -EXDEV ? open_from_root(root_fd, tid, from_fd, path) : fd;
}

int
unix_path_describe(int fd, struct unix_path_file *ret_file)
{
	const unsigned wanted = STATX_TYPE | STATX_MODE | STATX_INO | STATX_BTIME | STATX_MNT_ID;
	struct statx facts;
	int r = 0;

	if (statx(fd, "", AT_EMPTY_PATH, wanted, &facts) < 0)
		r = -errno;
	else if (!(facts.stx_mask & STATX_MNT_ID))
		r = -EOPNOTSUPP;
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	*ret_file = (struct unix_path_file){
		.fd = fd,
		.mode = facts.stx_mode,
		.inode = facts.stx_ino,
		.device = makedev(facts.stx_dev_major, facts.stx_dev_minor),
		.mount_id = facts.stx_mnt_id,
		.born_seconds = facts.stx_mask & STATX_BTIME ? (uint64_t)facts.stx_btime.tv_sec : 0,
	};
	return 0;
}

int
unix_path_open(pid_t tid, int directory_fd, const char *path, struct unix_path_file *ret_file)
{
	_cleanup_fd_ int root_fd = open_link(tid, "root");
	int fd;

	if (root_fd < 0)
		return root_fd;
	if (path[0] == '/')
		fd = open_beneath(root_fd, path, RESOLVE_IN_ROOT);
	else
		fd = open_relative(root_fd, tid, directory_fd, path);
	return fd < 0 ? fd : unix_path_describe(fd, ret_file);
}
