/* What protect.c and protect_git.c share. */
#ifndef PORTA_SANDBOX_PROTECT_INTERNAL_H
#define PORTA_SANDBOX_PROTECT_INTERNAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "sandbox/plan.h"
#include "sandbox/protect.h"

struct listed_names;

struct protect {
	struct plan *plan;
	const struct policy *policy;
	const char *mount_path; /* the mount that is being looked at */
	const struct strv *explicit_paths;
	const struct listed_names *names; /* protect.c's */
};

enum protect_flags {
	PROTECT_DIRECTORY = 1 << 0,  /* protect_watch.is_directory */
	PROTECT_GIT_CONFIG = 1 << 1, /* protect_watch.is_git_config */
	PROTECT_PIN = 1 << 2,	     /* the path is only to be held in place */
	PROTECT_OWN = 1 << 3,	     /* protect_watch.is_own */
};

/* Protects one name in a directory that is open, writable inside, free of symlinks, and pinned. */
void protect_entry(struct protect *p, int directory_fd, const char *directory, const char *name,
		   unsigned int flags, const char *label);
/*
 * Protects whatever an absolute path leads to, as far as it lies in writable mounts: symlinks on
 * the way are watched and followed, directories pinned, the last one read-only, or watched if it
 * does not exist.
 */
void protect_path(struct protect *p, const char *path, unsigned int flags, const char *label);
/* Adds a mount where it belongs: after what is above it, before what is below. */
void protect_add_mount(struct plan *plan, enum plan_mount_kind kind, const char *path,
		       const struct stat *st, const char *reason);
/* Whether the plan so far leaves `path` writable. */
bool protect_is_writable(const struct plan *plan, const char *path);
/* Whether no -v of the user and no mask says what becomes of `path`. */
bool protect_may_be_mounted(const struct plan *plan, const char *path);

/* The git repository at the top of the mount, if there is one, and all that hangs on it. */
void protect_git(struct protect *p, int mount_fd);

#endif
