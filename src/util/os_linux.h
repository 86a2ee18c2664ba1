/*
 * Linux system calls and constants that the C library may lack: porta is linked with
 * musl where it can be (see meson.build), and with glibc for tests and sanitizers. The
 * names and meanings are those of the manual pages in section 2.
 */
#ifndef PORTA_UTIL_OS_LINUX_H
#define PORTA_UTIL_OS_LINUX_H

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <sys/pidfd.h>
#else

#include <linux/mount.h>
#include <linux/types.h>

typedef int __rlimit_resource_t;

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static inline int
close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int
open_tree(int dir_fd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dir_fd, path, flags);
}

static inline int
move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

static inline int
fsopen(const char *type, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static inline int
fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static inline int
fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fd, flags, attributes);
}

static inline int
mount_setattr(int fd, const char *path, unsigned int flags, struct mount_attr *attributes,
	      size_t size)
{
	return (int)syscall(SYS_mount_setattr, fd, path, flags, attributes, size);
}

static inline int
pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int
pidfd_getfd(int pidfd, int fd, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, flags);
}

static inline int
pidfd_send_signal(int pidfd, int signal, void *info, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, info, flags);
}

/* statx(2), up to the field that porta reads last. */
struct statx_timestamp {
	__s64 tv_sec;
	__u32 tv_nsec;
	__s32 reserved;
};

struct statx {
	__u32 stx_mask;
	__u32 stx_blksize;
	__u64 stx_attributes;
	__u32 stx_nlink;
	__u32 stx_uid;
	__u32 stx_gid;
	__u16 stx_mode;
	__u16 spare0;
	__u64 stx_ino;
	__u64 stx_size;
	__u64 stx_blocks;
	__u64 stx_attributes_mask;
	struct statx_timestamp stx_atime;
	struct statx_timestamp stx_btime;
	struct statx_timestamp stx_ctime;
	struct statx_timestamp stx_mtime;
	__u32 stx_rdev_major;
	__u32 stx_rdev_minor;
	__u32 stx_dev_major;
	__u32 stx_dev_minor;
	__u64 stx_mnt_id;
	__u64 spare[13];
};

#define STATX_TYPE	   0x00000001U
#define STATX_MODE	   0x00000002U
#define STATX_INO	   0x00000100U
#define STATX_BASIC_STATS  0x000007ffU
#define STATX_BTIME	   0x00000800U
#ifndef AT_STATX_SYNC_AS_STAT
#define AT_STATX_SYNC_AS_STAT 0x0000
#endif

static inline int
statx(int dir_fd, const char *path, int flags, unsigned int mask, struct statx *buffer)
{
	return (int)syscall(SYS_statx, dir_fd, path, flags, mask, buffer);
}

#endif /* !__GLIBC__ */

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#endif
