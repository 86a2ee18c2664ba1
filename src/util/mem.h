/*
 * Memory that is never NULL: running out of it ends the process with a message
 * (in a run that is exit 125, and the sandbox ends with its broker: fail closed).
 * Everything that comes from outside has a named limit, checked before any of
 * these is called. Free what they return with free(3).
 */
#ifndef PORTA_UTIL_MEM_H
#define PORTA_UTIL_MEM_H

#include <stddef.h>

#include "util/macros.h"

/* Zeroed storage for `count` items of `size` bytes; an overflow counts as no memory. */
void *mem_zalloc(size_t count, size_t size);
/* As reallocarray(3). */
void *mem_realloc(void *p, size_t count, size_t size);
/* Grows `*items` so that item `used` exists; `*capacity` counts items, 0 at first. */
void mem_grow(void **items, size_t *capacity, size_t used, size_t size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) _printf_(1, 2);
/* Overwrites `n` bytes in a way that the compiler keeps; for secrets. */
void mem_wipe(void *p, size_t n);

/*
 * Gives back the pages of the stack below the caller's frame: what is deep while a run is planned
 * would stay for as long as the run waits. madvise(2), MADV_DONTNEED.
 */
void mem_release_stack(void);

#define MEM_NEW(type) ((type *)mem_zalloc(1, sizeof(type)))
#define MEM_GROW(items, capacity, used) \
	mem_grow((void **)&(items), &(capacity), (used), sizeof(*(items)))

#endif
