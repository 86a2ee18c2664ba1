/*
 * Where a git repository keeps what: `.git` as a directory or a file, the common directory of a
 * worktree, the git directories of submodules. Follows gitrepository-layout(5) and git-worktree(1).
 * Only looks.
 */
#ifndef PORTA_SANDBOX_GIT_LAYOUT_H
#define PORTA_SANDBOX_GIT_LAYOUT_H

#include <stdbool.h>

#include "util/strings.h"

#define GIT_LAYOUT_LINK_MAX_BYTES 4096
/*
 * Directories visited below `modules`, and entries read of each; beyond, the whole of it is to be
 * protected.
 */
#define GIT_LAYOUT_DIRECTORIES_MAX 256
#define GIT_LAYOUT_ENTRIES_MAX	   4096

/*
 * Whether the open directory is a git directory: HEAD, objects, refs (or a worktree's HEAD and
 * commondir).
 */
bool git_layout_is_git_dir(int directory_fd);

/*
 * The text of a one-line file (`.git` with `prefix` "gitdir: "; `commondir` and `gitdir` with ""),
 * without prefix and newline. Does not follow a symlink. Returns 0, -EINVAL for what is no such
 * line, or a negative errno.
 */
int git_layout_read_line(int directory_fd, const char *name, const char *prefix, char **ret_text);

/*
 * For a working tree at `path` (absolute, no symlinks) whose `.git` is a file: its git directory
 * and common directory, absolute and free of symlinks, if the latter's `worktrees/NAME` is the
 * former and points back to this
 * `.git`. Otherwise -ENOENT: nothing that a hostile `.git` file names is trusted.
 */
int git_layout_find_worktree(int directory_fd, const char *path, char **ret_git_dir,
			     char **ret_common_dir);

/*
 * Appends the git directories below the open git directory's `modules` (`modules/NAME`, NAME may
 * have slashes, and theirs) as relative paths, or the directories in `worktrees`. -E2BIG beyond the
 * limits, another negative errno where a directory cannot be read; an absent one is 0.
 */
int git_layout_list_modules(int git_dir_fd, struct strv *list);
int git_layout_list_worktrees(int git_dir_fd, struct strv *list);

#endif
