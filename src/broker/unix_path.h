/*
 * Paths as a caller inside the sandbox sees them: from its own root and directory,
 * through the sandbox's mounts, whatever symlinks say about the host.
 */
#ifndef PORTA_BROKER_UNIX_PATH_H
#define PORTA_BROKER_UNIX_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/* A file, held by an O_PATH handle. */
struct unix_path_file {
	int fd;
	mode_t mode;
	uint64_t inode;
	uint64_t device;       /* st_dev */
	uint64_t mount_id;     /* as in mountinfo */
	uint64_t born_seconds; /* since the epoch; 0 where the file system does not tell */
};

/*
 * Opens what `path` names for thread `tid`, a relative one from `directory_fd`, or where that is -1
 * from the thread's directory; the last component is followed too. Magic links
 * (/proc/PID/fd and the like) are not. 0 or the negative errno that the path gives. The
 * caller checks afterwards that the thread is still the one it asked about.
 */
int unix_path_open(pid_t tid, int directory_fd, const char *path, struct unix_path_file *ret_file);
/* The same facts of a handle that is there already; takes it, also on failure. */
int unix_path_describe(int fd, struct unix_path_file *ret_file);

#endif
