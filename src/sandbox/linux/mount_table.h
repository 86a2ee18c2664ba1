/*
 * The host's mount table: by which other paths a directory can be reached.
 * Follows proc_pid_mountinfo(5).
 */
#ifndef PORTA_SANDBOX_LINUX_MOUNT_TABLE_H
#define PORTA_SANDBOX_LINUX_MOUNT_TABLE_H

#include <stddef.h>

#include "util/error.h"
#include "util/strings.h"

/* A table of this size is refused rather than read in part. */
#define MOUNT_TABLE_MAX_BYTES (16 * 1024 * 1024)

struct mount_entry {
	unsigned id;
	unsigned device_major;
	unsigned device_minor;
	char *root;  /* the directory of the file system that is mounted */
	char *point; /* where */
	char *type;  /* of the file system: "ext4", "cgroup2" */
};

struct mount_table {
	struct mount_entry *entries; /* in the kernel's order: a later one may cover an earlier one */
	size_t count;
	size_t capacity;
	char *text; /* what the entries point into */
};

/* `path` is /proc/self/mountinfo, but for tests. */
int mount_table_read(const char *path, struct mount_table *ret_table, struct error *err);
void mount_table_done(struct mount_table *table);
/*
 * Every path, `path` itself first, by which the tree at `path` (absolute, no symlinks) or a
 * part of it is visible through some mount: where an ancestor of it is mounted
 * elsewhere too, and where something below it is.
 */
int mount_table_aliases(const struct mount_table *table, const char *path, struct strv *ret_paths,
			struct error *err);

#endif
