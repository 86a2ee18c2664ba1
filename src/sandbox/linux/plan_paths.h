/* The paths that a plan speaks of, resolved once: mounts, homes, what is hidden. */
#ifndef PORTA_SANDBOX_LINUX_PLAN_PATHS_H
#define PORTA_SANDBOX_LINUX_PLAN_PATHS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "policy/policy.h"
#include "sandbox/linux/mount_table.h"
#include "sandbox/plan.h"
#include "util/error.h"

/* As root, the keys of so many other users are looked for. */
#define PLAN_HOMES_MAX 1024

struct plan_homes {
	struct strv own;    /* $HOME and the user database's: absolute, no symlinks, each once */
	struct strv others; /* as root, who could read them: those of the other users, as the database has them */
};

void plan_homes_find(uid_t uid, struct plan_homes *ret_homes);
void plan_homes_done(struct plan_homes *homes);

/*
 * Makes `text` ("~/x", relative, with symlinks) absolute and free of symlinks. The caller
 * frees *ret_path. Returns 0 or a negative errno with a sentence that names `text`.
 */
int plan_path_resolve(const char *text, const struct plan_homes *homes, char **ret_path,
		      struct stat *ret_stat, struct error *err);
struct plan_inode plan_inode_of(const struct stat *st);
/* The inode at a path that need not exist (all zero then); a symlink is not followed. */
struct plan_inode plan_inode_at(const char *path);

/* Adds masks over ~/.ssh, ~/.gnupg, what --deny-read names, and for root what the kernel shows to root alone. */
int plan_hide(struct plan *plan, const struct policy *policy, const struct plan_homes *homes,
	      const struct mount_table *table, struct error *err);

#endif
