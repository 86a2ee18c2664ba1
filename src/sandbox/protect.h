/*
 * Protected names: which files in a writable mount make other programs run code,
 * and so are not writable inside. This finds them, outside, before the sandbox is
 * made; the guard (linux/guard.h) holds them during the run.
 *
 * Follows git-config(1) (core.hooksPath, include.path, includeIf), gitrepository-layout(5)
 * (commondir, worktrees/NAME/gitdir) and git-worktree(1).
 */
#ifndef PORTA_SANDBOX_PROTECT_H
#define PORTA_SANDBOX_PROTECT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"
#include "util/error.h"
#include "util/strings.h"

struct plan;

/*
 * One protected name that the guard watches. A name that exists is mounted read-only too
 * (a PLAN_MOUNT_READ_ONLY of the plan), and is mounted again when a program outside
 * replaces it. A name that does not exist is taken to quarantine when it appears, and
 * held by a placeholder from then on. The texts are the plan's (watch_texts), or static.
 */
struct protect_watch {
	const char
	    *directory; /* absolute, free of symlinks, inside a writable mount; may not exist yet */
	const char *name;   /* one component */
	bool is_directory;  /* harm would come from a directory of this name, else from a file */
	bool exists;	    /* at the time of planning, as a file or directory (not a symlink) */
	bool is_symlink;    /* exists, as a symlink: watched, put back if changed; the target is
			       protected on its own */
	bool is_git_config; /* a copy is kept and compared at the end: new settings that run
			       programs are put back */
	bool is_own; /* a directory of porta's own: made when the run starts, if it does not exist */
	const char *label;  /* for people and --allow-protected: ".git/hooks" */
};

/*
 * Adds to `plan` what protects the names at the top of each of the writable mounts at
 * `mount_paths` (absolute, no symlinks): PIN mounts of ancestors, READ_ONLY mounts of what
 * exists, watches for all. Reads git's own configuration files to find in-tree targets of
 * core.hooksPath and include.path, and submodules. A path that `-v` names itself
 * (`explicit_paths`) is not protected by its own name. A `.git` file of a worktree adds its
 * git directory and common directory as writable mounts with protected names of their own, only if
 * `worktrees/NAME/gitdir` points back; these are reported in the mounts' `reason`.
 * Not covered: a repository that lies deeper in the mount and is neither a submodule nor a
 * worktree of the one at the top, since finding it would mean walking the tree. Mounts are put
 * where they belong in the plan's order: after what is above them, before what is below. Nothing is
 * created and nothing outside is changed. An unreadable or malformed git configuration is treated
 * as one that must be protected whole; it is no error.
 */
int protect_plan_mounts(struct plan *plan, const struct policy *policy,
			const struct strv *mount_paths, const struct strv *explicit_paths,
			struct error *err);

/*
 * Adds watches for ~/.ssh and ~/.gnupg where they do not exist in a writable home, and
 * masks nothing (that is the plan's). `home` is absolute.
 */
void protect_plan_absent_home(struct plan *plan, const char *home);

/*
 * Protects a directory of porta's own at an absolute path, where a mount (or /tmp) makes it writable;
 * no flag lifts that. One that does not exist is made by the guard before anything runs inside.
 */
void protect_plan_own(struct plan *plan, const char *path);

/*
 * Protects the file at an absolute path as a protected name, wherever it lies in what is writable: policy.project_file.
 */
void protect_plan_project_file(struct plan *plan, const char *path);

/*
 * A directory of the user by the XDG specification: $`variable`, or `fallback` in the home
 * directory; NULL if neither is known.
 */
char *protect_user_directory(const char *variable, const char *fallback);

#endif
