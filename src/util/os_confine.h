/*
 * The walls that a helper program of porta puts around itself before it reads a byte that nobody
 * trusts: limits, capabilities, files by landlock(7), system calls by seccomp(2). Linux only.
 *
 * All return 0 or a negative errno; the caller ends where a wall cannot be had.
 */
#ifndef PORTA_UTIL_OS_CONFINE_H
#define PORTA_UTIL_OS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

struct confine_limit {
	int resource; /* RLIMIT_... */
	rlim_t limit; /* both soft and hard; one that is lower already stays */
};

int confine_limits(const struct confine_limit *limits, size_t count);

/*
 * Drops every capability, sets no_new_privs, makes the process end with its parent (PDEATHSIG), and
 * hides it from ptrace and /proc of the same user (not dumpable).
 */
int confine_privileges(void);

enum confine_access {
	CONFINE_LIST, /* a directory's names, not what its files hold */
	CONFINE_READ,
	CONFINE_WRITE, /* reading too; in a directory also making, removing and renaming */
};

/* What of the file system stays. */
struct confine_path {
	int fd; /* of a directory and all below it, or of a file; O_PATH is enough */
	bool is_directory;
	enum confine_access access;
};

/*
 * Denies every file but these, executing also these, all of TCP, abstract sockets and signals to
 * others: as much as the kernel's Landlock knows. -EOPNOTSUPP where there is no Landlock.
 */
int confine_files(const struct confine_path *paths, size_t count);

/* One argument's condition, on the low half of what the kernel takes as an int; or NULL, both. */
enum confine_check_kind {
	CONFINE_CHECK_NONE,
	CONFINE_CHECK_EQUAL,	/* (argument & mask) == value */
	CONFINE_CHECK_AT_LEAST, /* argument >= value */
	CONFINE_CHECK_NULL,	/* a pointer that is NULL, both halves */
};

struct confine_check {
	enum confine_check_kind kind;
	uint8_t argument;
	uint32_t mask;
	uint32_t value;
};

/* Allowed where all its checks hold; a number can come several times. */
struct confine_call {
	int number;
	struct confine_check checks[3];
};

#define CONFINE_ANY		      { CONFINE_CHECK_NONE, 0, 0, 0 }
#define CONFINE_EQUAL(argument, value) { CONFINE_CHECK_EQUAL, argument, UINT32_MAX, value }
#define CONFINE_MASKED(argument, mask, value) { CONFINE_CHECK_EQUAL, argument, mask, value }
#define CONFINE_AT_LEAST(argument, value)     { CONFINE_CHECK_AT_LEAST, argument, 0, value }
#define CONFINE_IS_NULL(argument)	      { CONFINE_CHECK_NULL, argument, 0, 0 }

#define CONFINE_CALLS_MAX 160

/* What becomes of a call that no entry allows. */
enum confine_refusal {
	CONFINE_KILL, /* the process ends, by SIGSYS */
	CONFINE_EPERM,
};

/*
 * From now on, in every thread, only these calls (CONFINE_CALLS_MAX at most), of the native
 * architecture. A second call narrows what the first left.
 */
int confine_calls(const struct confine_call *calls, size_t count, enum confine_refusal refusal);
/* From now on no memory becomes executable, in any thread. */
int confine_no_new_code(void);

#endif
