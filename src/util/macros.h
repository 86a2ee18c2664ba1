/* Small macros that the whole program shares. */
#ifndef PORTA_UTIL_MACROS_H
#define PORTA_UTIL_MACROS_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define _printf_(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#define _noreturn_ __attribute__((noreturn))
#define _must_check_ __attribute__((warn_unused_result))
#define _fallthrough_ __attribute__((fallthrough))

/* `_cleanup_(x) T *p = NULL;` calls x(&p) when p leaves its scope. */
#define _cleanup_(x) __attribute__((cleanup(x)))

/* Hands a pointer or a descriptor over: the variable is left NULL or -1. */
#define TAKE_PTR(p)                          \
	({                                   \
		__typeof__(p) *_pp = &(p);   \
		__typeof__(p) _taken = *_pp; \
		*_pp = NULL;                 \
		_taken;                      \
	})
#define TAKE_FD(fd)                  \
	({                           \
		int *_fp = &(fd);    \
		int _taken_fd = *_fp; \
		*_fp = -1;           \
		_taken_fd;           \
	})

static inline void
cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Closes a descriptor and leaves errno as it was; a negative one is left alone. */
void fd_close(int fd);

static inline void
cleanup_fd(const int *fd)
{
	fd_close(*fd);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_fd_ _cleanup_(cleanup_fd)

#endif
