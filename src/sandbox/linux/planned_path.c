/* Opening what a plan names; see planned_path.h. */
#include "sandbox/linux/planned_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/os_linux.h"

/* One component after the other, for where a sandbox around porta keeps openat2 from it. */
static int
open_by_components(const char *path, int flags)
{
	_cleanup_free_ char *copy = mem_strdup(path);
	_cleanup_fd_ int directory_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = copy;
	char *name = strsep(&rest, "/");

	while (directory_fd >= 0 && rest != NULL) {
		int fd;

		name = strsep(&rest, "/");
		if (*name == '\0')
			continue;
		/* O_PATH with O_NOFOLLOW opens a symlink itself, which O_DIRECTORY then refuses as ENOTDIR. */
		fd = openat(directory_fd, name,
			    rest != NULL ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC : flags);
		if (fd < 0)
			return -errno;
		fd_close(directory_fd);
		directory_fd = fd;
	}
	return directory_fd < 0 ? -errno : TAKE_FD(directory_fd);
}

int
planned_path_open(const char *path, int flags, const struct plan_inode *inode)
{
	const int more = flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY;
	struct open_how how = {
		.flags = (uint64_t)(flags | more | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0 && errno == ENOSYS) {
		fd = open_by_components(path, (int)how.flags);
		if (fd < 0)
			return TAKE_FD(fd);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != inode->device || st.st_ino != inode->number ||
	    (st.st_mode & S_IFMT) != inode->type)
		return -ESTALE;
	return TAKE_FD(fd);
}
