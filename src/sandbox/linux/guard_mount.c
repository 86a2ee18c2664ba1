/*
 * The guard's steps in the mount tree; see guard_internal.h. Follows open_tree(2), move_mount(2),
 * statx(2).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "sandbox/linux/guard_internal.h"
#include "util/fd.h"
#include "util/os_linux.h"
#include "util/strings.h"

int
guard_open(int root_fd, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
				.resolve = RESOLVE_NO_SYMLINKS };
	const char *relative = root_fd == AT_FDCWD || path[1] == '\0' ? path : path + 1;

	if (root_fd != AT_FDCWD && path[1] == '\0')
		relative = ".";
	return (int)syscall(SYS_openat2, root_fd, relative, &how, sizeof(how));
}

static int
inside(struct guard_directory *directory)
{
	if (directory->sandbox_fd < 0)
		directory->sandbox_fd = guard_open(AT_FDCWD, directory->path, O_PATH | O_DIRECTORY);
	return directory->sandbox_fd;
}

bool
guard_is_mounted(struct guard_directory *directory, const char *name, dev_t device, ino_t inode)
{
	struct statx st;

	return statx(inside(directory), name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_INO,
		     &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0 && st.stx_ino == inode &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == device;
}

static bool
is_inode(int directory_fd, const char *name, int flags, dev_t device, ino_t inode)
{
	struct stat st;

	return fstatat(directory_fd, name, &st, flags) == 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

/*
 * Once the mount stands, nobody inside can move what is below it: so both views are
 * compared afterwards, and what does not fit is undone.
 */
int
guard_mount(struct guard_directory *directory, const char *name, bool read_only, dev_t device,
	    ino_t inode)
{
	struct mount_attr attributes = { .attr_set = read_only ? MOUNT_ATTR_RDONLY : 0 };
	_cleanup_fd_ int tree_fd = -1;

	tree_fd = open_tree(inside(directory), name,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree_fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (!is_inode(tree_fd, "", AT_EMPTY_PATH, device, inode))
		return -EAGAIN;
	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return -errno;
	if (move_mount(tree_fd, "", inside(directory), name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return errno == ENOENT || errno == ENOTDIR ? -EAGAIN : -errno;
	if (guard_is_mounted(directory, name, device, inode) &&
	    is_inode(directory->host_fd, name, AT_SYMLINK_NOFOLLOW, device, inode))
		return 0;
	guard_unmount(directory, name);
	return -EAGAIN;
}

void
guard_unmount(struct guard_directory *directory, const char *name)
{
	/* umount2 takes no directory handle. */
	if (fchdir(inside(directory)) < 0)
		return;
	umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (chdir("/") < 0)
		return;
}

bool
guard_is_empty_directory(int directory_fd, const char *name)
{
	int fd = openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool is_empty = true;

	if (stream == NULL) {
		fd_close(fd);
		return false;
	}
	while (is_empty && (entry = readdir(stream)) != NULL)
		is_empty = str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..");
	closedir(stream);
	return is_empty;
}
