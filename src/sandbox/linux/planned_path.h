/* Opening what a plan names: the very inode that was decided on, by a path without symlinks. */
#ifndef PORTA_SANDBOX_LINUX_PLANNED_PATH_H
#define PORTA_SANDBOX_LINUX_PLANNED_PATH_H

#include "sandbox/plan.h"

/*
 * Opens an absolute path without following any symlink, with the flags of open(2); O_CLOEXEC, O_NOCTTY and
 * O_NOFOLLOW are added, and without O_PATH also O_NONBLOCK, so that a FIFO that was put there is only looked at.
 * A descriptor, or a negative errno: -ELOOP for a symlink, -ESTALE for another inode.
 */
int planned_path_open(const char *path, int flags, const struct plan_inode *inode);

#endif
