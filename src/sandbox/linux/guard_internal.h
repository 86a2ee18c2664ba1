/* What the parts of the guard share; see guard.h and guard.c. */
#ifndef PORTA_SANDBOX_LINUX_GUARD_INTERNAL_H
#define PORTA_SANDBOX_LINUX_GUARD_INTERNAL_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "sandbox/linux/guard.h"

/*
 * A placeholder is an empty directory of this mode, whatever the name stands for: what is a file
 * for its readers does no harm as a directory, and git does not add an empty one.
 */
#define GUARD_PLACEHOLDER_MODE 0500
#define GUARD_NO_DIRECTORY     ((size_t)-1)

/*
 * A directory that names are watched in, in both views; not open (-1) as long as it does not exist.
 */
struct guard_directory {
	char *path;
	int host_fd;	 /* as the host sees it, where dnotify is set */
	int sandbox_fd;	 /* through the sandbox's mounts; opened when it is needed */
	size_t parent;	 /* the nearest watched directory above, or GUARD_NO_DIRECTORY */
	char *component; /* of `path`, just below the parent; what it was found to be: */
	dev_t component_device;
	ino_t component_inode; /* 0: does not exist */
	bool is_fresh;	       /* something was made in it about when the run began */
	bool wants_writes;     /* a file in it may be open for writing inside: tell of writes too */
};

enum guard_state {
	GUARD_ABSENT,
	GUARD_HELD,	   /* what is there is mounted read-only */
	GUARD_PLACEHOLDER, /* the same, of a placeholder */
	GUARD_SYMLINK,
};

struct guard_watch {
	const struct protect_watch *plan;
	dev_t device; /* of what is mounted: GUARD_HELD and GUARD_PLACEHOLDER */
	ino_t inode;
	char *text; /* a symlink's target; a git configuration as it was last found good; or NULL */
	size_t text_length;
	unsigned int directory;
	int placeholder_fd; /* watched too, where a directory of this name does harm; else -1 */
	enum guard_state state;
	bool saw_lock;	  /* a git configuration's: somebody wanted to write it */
	bool was_exposed; /* replaced during the run, so writable for a moment */
};

struct guard {
	const struct plan *plan;
	int host_root_fd;
	int control_fd;
	struct guard_directory *directories;
	size_t directories_count;
	size_t directories_capacity;
	struct guard_watch *watches;
	size_t watches_count;
	int quarantine_fd; /* -1 until something is taken */
	char *quarantine_path;
	bool is_quarantine_inside; /* beneath a writable mount: no directory is renamed into it */
	size_t taken_count;
	size_t audit_events;
	bool is_ending;
	struct timespec started; /* CLOCK_REALTIME_COARSE, which file times are taken from */
};

/* guard_mount.c: single steps on one name of a directory that is open. */

/* Whether `name` is, inside, the root of a mount of this inode. */
bool guard_is_mounted(struct guard_directory *directory, const char *name, dev_t device,
		      ino_t inode);
/*
 * Mounts what is at `name` on itself, if it is still the given inode in both views. -EAGAIN: it was
 * exchanged meanwhile, and nothing is mounted.
 */
int guard_mount(struct guard_directory *directory, const char *name, bool read_only, dev_t device,
		ino_t inode);
void guard_unmount(struct guard_directory *directory, const char *name);
/*
 * openat2 without symlinks, of an absolute path below a root (or AT_FDCWD: the sandbox's); -1 if
 * that is not possible.
 */
int guard_open(int root_fd, const char *path, int flags);
bool guard_is_empty_directory(int directory_fd, const char *name);

/* guard_quarantine.c */

/*
 * Makes `path` and what is missing above it, as mkdir -p does, for the owner alone. A descriptor of it,
 * or a negative errno.
 */
int guard_make_directories(const struct guard *guard, const char *path);
/* The quarantine directory of this run, made at the first need; -1 if that cannot be had. */
int guard_quarantine_open(struct guard *guard);
/* Closes it at the end, and removes it if nothing was kept. */
void guard_quarantine_close(struct guard *guard);
/* Moves a name away, whole. Returns 0 and where it is now, or a negative errno. */
int guard_quarantine_take(struct guard *guard, struct guard_directory *directory, const char *name,
			  char **ret_path);
/* Keeps a copy of a text under `name`. */
int guard_quarantine_keep(struct guard *guard, const char *name, const char *text, size_t length,
			  char **ret_path);

/* guard_git.c */

/* Notes a configuration's text, to compare with later. */
void guard_git_note(struct guard *guard, struct guard_watch *watch);
/*
 * Puts the noted text back if the file has new settings that run programs, else notes the new one.
 */
void guard_git_check(struct guard *guard, struct guard_watch *watch);

/* guard_audit.c */

/*
 * Looks for configurations and hooks that run programs and came during the run, in the repositories
 * at the top of a writable mount and in the directories there.
 */
void guard_git_audit(struct guard *guard, const struct guard_directory *directory);

/* guard_watch.c: one name, from state to state. */

/* The state that the name begins in, by what is there. */
void guard_watch_start(struct guard *guard, struct guard_watch *watch);
/* Compares the name with its state, and sets right what a program changed. */
void guard_watch_look(struct guard *guard, struct guard_watch *watch);
/* When all inside are dead and the last look was: what only then can be settled. */
void guard_watch_end(struct guard *guard, struct guard_watch *watch);
/* Nothing is mounted at the name any more, or will not be. */
void guard_watch_release(struct guard_watch *watch);
/* Mounts what a watched name is read-only, after it was replaced; false if it changed again. */
bool guard_hold(struct guard *guard, struct guard_watch *watch, const struct stat *st);
/* What is there under a name that was not: a placeholder is removed, anything else is taken. */
void guard_settle_name(struct guard *guard, struct guard_directory *directory,
		       const struct protect_watch *watch);

/* guard.c */

void guard_tell(struct guard *guard, enum guard_event event, const char *label, const char *path,
		const char *third);
/* The next event in the directory is told by a signal. 0 or a negative errno. */
int guard_arm(const struct guard_directory *directory);
/* Whether a watch or a watched directory stands for `path`. */
bool guard_knows(const struct guard *guard, const char *path);

#endif
