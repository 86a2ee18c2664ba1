/*
 * The host's mount table: by which other paths a directory can be reached.
 * Follows proc_pid_mountinfo(5), and Documentation/filesystems/overlayfs.rst.
 */
#ifndef PORTA_SANDBOX_LINUX_MOUNT_TABLE_H
#define PORTA_SANDBOX_LINUX_MOUNT_TABLE_H

#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/strings.h"

/* A table of this size is refused rather than read in part. */
#define MOUNT_TABLE_MAX_BYTES (16 * 1024 * 1024)
/* So many aliases of one tree are no accident. */
#define MOUNT_TABLE_ALIASES_MAX 4096

struct mount_entry {
	unsigned id;
	unsigned device_major;
	unsigned device_minor;
	char *root;  /* the directory of the file system that is mounted */
	char *point; /* where */
	char *type;  /* of the file system: "ext4", "cgroup2" */
	char *options; /* of the file system, as the kernel writes them, or "" */
};

/* A directory that an overlay mount is made of, as far as it can be reached from here. */
struct mount_layer {
	size_t entry; /* the overlay's */
	char *path;
	dev_t device;
	ino_t inode;
};

struct mount_table {
	struct mount_entry *entries; /* in the kernel's order: a later one may cover an earlier one */
	size_t count;
	size_t capacity;
	struct mount_layer *layers;
	size_t layers_count;
	size_t layers_capacity;
	char *text; /* what the entries point into */
};

/* What counts as an alias of a tree. */
enum mount_table_want {
	MOUNT_TABLE_WHOLE, /* what shows all of it */
	MOUNT_TABLE_PARTS, /* what shows something below it alone, too */
};

/* `path` is /proc/self/mountinfo, but for tests. */
int mount_table_read(const char *path, struct mount_table *ret_table, struct error *err);
void mount_table_done(struct mount_table *table);
/*
 * Every path, `path` itself first, by which the tree at `path` (absolute, no symlinks) is visible through
 * some mount: where an ancestor of it is mounted elsewhere too, and where something below it is; through an
 * overlay of which an ancestor is a layer, and, of a tree in an overlay, in the layers. Other stacking file
 * systems (ecryptfs, FUSE) do not tell what they show.
 */
int mount_table_aliases(const struct mount_table *table, const char *path, enum mount_table_want want,
			struct strv *ret_paths, struct error *err);

#endif
