/*
 * The plan: the ordered operations that a policy becomes on this machine. Built
 * outside, as the user; printed by `porta explain`; applied by the back end in a
 * new set of namespaces. Data only: paths are absolute and free of symlinks, and
 * each names the inode that was found there, so that what is mounted is what was
 * decided on, whatever a program outside swaps in meanwhile.
 */
#ifndef PORTA_SANDBOX_PLAN_H
#define PORTA_SANDBOX_PLAN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/policy.h"
#include "sandbox/protect.h"
#include "util/error.h"
#include "util/strings.h"

/* In the order of strength; see DESIGN: "Tiers". */
enum sandbox_tier {
	SANDBOX_TIER_NAMESPACES = 1, /* namespaces, Landlock, seccomp, broker */
	SANDBOX_TIER_LANDLOCK = 2,   /* no user namespaces: Landlock with all rights, seccomp, broker */
	SANDBOX_TIER_PORTS = 3,	     /* no listener either: Landlock with port rules */
};

/* What is at a path, by inode; all zero: nothing was there. */
struct plan_inode {
	dev_t device;
	ino_t number;
	mode_t type; /* S_IFMT part of st_mode */
};

enum plan_mount_kind {
	PLAN_MOUNT_WRITABLE,  /* the tree at `path` as it is on the host, with what is mounted below it */
	PLAN_MOUNT_READ_ONLY, /* the same, read-only */
	PLAN_MOUNT_PIN,	      /* a directory bound on itself, writable: it cannot be renamed or removed */
	PLAN_MOUNT_DEVICE,    /* a harmless device node, usable */
	PLAN_MOUNT_CONSOLE,   /* the caller's terminal, `source`, at /dev/console or the first of /dev/pts */
	PLAN_MOUNT_MASK,      /* an empty, unreadable file or directory over `path` */
	PLAN_MOUNT_TMPFS,     /* an empty, writable tmpfs over `path`, mode 1777 */
	PLAN_MOUNT_EMPTY,     /* an empty, read-only directory over `path`, with room for the plan's mounts below it; at "/" it becomes the root */
	PLAN_MOUNT_SYMLINK,   /* a symlink to `text`, below an EMPTY mount */
	PLAN_MOUNT_FILE,      /* a read-only file that holds `text`, over `path` */
	PLAN_MOUNT_PROC,      /* a new /proc */
	PLAN_MOUNT_DEVPTS,    /* a private devpts */
	PLAN_MOUNT_MQUEUE,    /* the message queues of the new IPC namespace */
	PLAN_MOUNT_KIND_COUNT,
};

struct plan_mount {
	enum plan_mount_kind kind;
	char *path;
	struct plan_inode inode; /* expected at `path` (at `source` for CONSOLE) */
	char *source;		 /* CONSOLE only, else NULL */
	char *text;		 /* FILE and SYMLINK only, else NULL */
	char *reason;		 /* what asked for it, for explain: "-v .", "protected", ... */
};

/* A Landlock rule: what the sandbox may do beneath `path` beyond reading. */
struct plan_grant {
	char *path;
	struct plan_inode inode; /* expected at `path`, which then has no symlink; all zero: not compared */
	bool write;   /* WRITE_FILE and REFER; in the Landlock tier every right that changes something */
	bool execute; /* EXECUTE, where --allow-exec is given */
	bool read;    /* READ_FILE, in the lower tiers: a path that is gone by then is passed over */
};

/* TCP ports that Landlock lets connect to, where there is no door. */
struct plan_ports {
	uint16_t first;
	uint16_t last;
};

/* What becomes of each of the descriptors 0, 1 and 2. */
enum plan_stdio_kind {
	PLAN_STDIO_KEEP,   /* an anonymous pipe, a unix stream socket, an unlinked file */
	PLAN_STDIO_REOPEN, /* opened again by `path` through the sandbox's mounts, inode compared */
	PLAN_STDIO_TTY,	   /* the terminal, bound at /dev/console; by `path` where there are no mounts */
	PLAN_STDIO_PUMP,   /* a pipe, fed or drained by the broker */
	PLAN_STDIO_CLOSED, /* was closed: /dev/null takes the number */
	PLAN_STDIO_KIND_COUNT,
};

struct plan_stdio {
	enum plan_stdio_kind kind;
	char *path; /* REOPEN, TTY: free of symlinks; else what it is, for messages, or NULL */
	struct plan_inode inode;
	int open_flags;	    /* REOPEN, TTY: access mode and O_APPEND, O_NONBLOCK */
	int shared_with;    /* an earlier number with the same open file description, or -1 */
	bool copy_offset;   /* REOPEN of a regular file for reading: the offset is set from the caller's, and set back at the end */
	/*
	 * The sandbox's end of a pipe (PUMP), or of a socket over which the new description goes out, so that
	 * its offset can be read at the end (copy_offset); owned by the plan. Else -1.
	 */
	int pump_inside_fd;
};

/* How the seccomp filter judges the network; the tables are generated for these. */
enum plan_filter_network {
	PLAN_FILTER_OPEN,	   /* full */
	PLAN_FILTER_LISTEN,	   /* outbound: bind is judged too */
	PLAN_FILTER_CLOSED,	   /* loopback_only, rules: everything but TCP and unix streams is closed */
	PLAN_FILTER_BLOCKED,	   /* an empty network namespace */
	PLAN_FILTER_NETWORK_COUNT,
};

struct plan {
	enum sandbox_tier tier;
	bool as_root;	       /* effective uid 0: all ids are mapped, file and id capabilities stay */
	bool new_network;      /* an empty network namespace (blocked) */
	bool allow_userns;
	enum plan_filter_network filter_network;
	int landlock_abi;      /* 0: none */
	bool wait_killable;    /* trapped calls are interrupted by fatal signals only, once received */
	bool landlock_net;     /* the second wall: TCP connect (and bind where limited) denied to the sandbox itself */
	bool landlock_execute; /* --allow-exec */
	bool not_kept[GUARANTEE_COUNT]; /* what this machine cannot keep, and --degrade accepted */

	/*
	 * In the order of application. The lower tiers apply none: there they tell what is named (WRITABLE,
	 * READ_ONLY) and what is hidden (MASK), and the grants are made of them.
	 */
	struct plan_mount *mounts;
	size_t mounts_count;
	size_t mounts_capacity;
	struct plan_grant *grants;
	size_t grants_count;
	size_t grants_capacity;
	struct plan_ports *ports; /* SANDBOX_TIER_PORTS with rules */
	size_t ports_count;
	size_t ports_capacity;
	struct protect_watch *watches; /* names that the guard holds during the run; see protect.h */
	size_t watches_count;
	size_t watches_capacity;
	struct strv watch_texts; /* what their texts are kept in */
	struct strv unversioned; /* writable mounts without a `.git` at their top: one at the end is new */
	char *quarantine_path; /* porta's data directory for what was taken away; NULL without watches */

	struct policy_limits limits;
	/*
	 * For limits on all processes together: the cgroup below which the command's is made, and the
	 * "FILE VALUE" pairs written there. NULL and none where they are not asked for, or not kept.
	 */
	char *cgroup_path;
	struct strv cgroup_settings;
	int cgroup_procs_fd; /* cgroup.procs of the command's group, once it is made; owned by the plan. Else -1 */
	struct plan_stdio stdio[3];
	int kept_fds; /* descriptors from 3 on that the command gets as they are; for workers of porta's own */
	bool has_terminal;	  /* one of 0-2 is the controlling terminal */
	/*
	 * The command's group takes the terminal when it starts: porta's own has it, and neither stdout nor
	 * stderr goes to a neighbour in a pipeline (`porta run x | less`: that one wants to read keys).
	 */
	bool in_foreground;
	sigset_t signal_mask;	  /* what porta was started with, and the command gets back */

	char *command_path; /* absolute, as found in PATH */
	struct strv argv;
	struct strv environment;
	char *working_directory; /* absolute */
};

void plan_init(struct plan *plan);
void plan_done(struct plan *plan);
struct plan_mount *plan_add_mount(struct plan *plan, enum plan_mount_kind kind, const char *path,
				  const char *reason);
struct plan_grant *plan_add_grant(struct plan *plan, const char *path);
/* The first mount of a kind, or NULL. */
const struct plan_mount *plan_find_kind(const struct plan *plan, enum plan_mount_kind kind);
/* Whether a writable mount of the plan so far is at or above `path`. */
bool plan_is_in_writable(const struct plan *plan, const char *path);

const char *plan_mount_kind_name(enum plan_mount_kind kind);
/* The plan, one operation a line, in the order in which it is applied; and as one JSON object. */
void plan_explain(const struct plan *plan, struct strbuf *out);
void plan_explain_json(const struct plan *plan, struct strbuf *out);

#endif
