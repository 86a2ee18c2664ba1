/*
 * The file system of the sandbox: applies a plan's mounts in the new mount
 * namespace. Follows mount_setattr(2), open_tree(2), move_mount(2), openat2(2).
 */
#ifndef PORTA_SANDBOX_LINUX_MOUNTS_H
#define PORTA_SANDBOX_LINUX_MOUNTS_H

#include "sandbox/plan.h"
#include "util/error.h"

/*
 * Called by init, in its own user and mount namespace, before anything untrusted runs.
 * `control_fd` is waited on (control_wait_go) before the first step that needs the id
 * maps. Afterwards every mount is private and read-only but for what the plan makes
 * writable. On failure the sandbox must not be used.
 */
int mounts_apply(const struct plan *plan, int control_fd, struct error *err);

/*
 * Opens a path without following any symlink, as an O_PATH handle, and checks that it is
 * the inode that was planned. A descriptor, or a negative errno (-ESTALE: another inode).
 */
int mounts_open_planned(int root_fd, const char *path, const struct plan_inode *inode);

#endif
