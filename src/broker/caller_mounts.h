/*
 * Which mounts of the sandbox are those of `-v`: a unix socket inside one may be
 * connected to. Decided by mount id, never by path, where the sandbox has mounts of its own.
 */
#ifndef PORTA_BROKER_CALLER_MOUNTS_H
#define PORTA_BROKER_CALLER_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/unix_path.h"
#include "sandbox/plan.h"
#include "util/error.h"

/* Mounts that one namespace may have; the kernel's default for a namespace is 100,000. */
#define CALLER_MOUNTS_MAX 100000

struct caller_mount;

struct caller_mounts {
	const struct plan *plan;
	pid_t init_pid;
	struct caller_mount *items; /* of init's namespace; read at the first need */
	size_t count;
	size_t capacity;
};

void caller_mounts_init(struct caller_mounts *mounts, const struct plan *plan, pid_t init_pid);
void caller_mounts_done(struct caller_mounts *mounts);

/*
 * Whether the file lies in a mount that `-v` made, read-only ones too, or in what is mounted
 * beneath one. In the lower tiers: read-only ones alone.
 */
bool caller_mounts_is_named(struct caller_mounts *mounts, const struct unix_path_file *file);
/*
 * The device number of the file's file system as the kernel keeps it (struct sock_diag_unix):
 * st_dev is another on btrfs and overlayfs. `tid` is the thread for which the file was opened: it
 * may be in a mount namespace of its own. 0 where it is not known.
 */
uint32_t caller_mounts_device(struct caller_mounts *mounts, pid_t tid,
			      const struct unix_path_file *file);

#endif
