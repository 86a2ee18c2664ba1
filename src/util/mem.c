/* Memory that is never NULL; see mem.h. */
#include "util/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "util/exit_code.h"

/* Where pages are larger nothing is given back (EINVAL). The page below the frame stays, with its red zone. */
#define STACK_PAGE_BYTES    ((uintptr_t)4 * 1024)
#define STACK_RELEASE_BYTES ((uintptr_t)128 * 1024)

static _noreturn_ void
out_of_memory(void)
{
	static const char text[] = "porta: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_CODE_FAILED);
	_exit(EXIT_CODE_FAILED);
}

void *
mem_zalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
mem_realloc(void *p, size_t count, size_t size)
{
	p = reallocarray(p, count ? count : 1, size ? size : 1);
	if (p == NULL)
		out_of_memory();
	return p;
}

void
mem_grow(void **items, size_t *capacity, size_t used, size_t size)
{
	size_t wanted = *capacity;

	if (used < wanted)
		return;
	if (used >= SIZE_MAX / 4)
		out_of_memory();
	wanted = wanted ? wanted : 8;
	while (wanted <= used)
		wanted *= 2;
	*items = mem_realloc(*items, wanted, size);
	*capacity = wanted;
}

char *
mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *
mem_strndup(const char *s, size_t n)
{
	char *p = strndup(s, n);

	if (p == NULL)
		out_of_memory();
	return p;
}

char *
mem_printf(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	va_end(args);
	return text;
}

void
mem_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void
mem_release_stack(void)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = (frame & ~(uintptr_t)(STACK_PAGE_BYTES - 1)) - STACK_PAGE_BYTES;

	/* Where the mapping begins higher, ENOMEM says so, and the rest was given back. */
	madvise((void *)(end - STACK_RELEASE_BYTES), STACK_RELEASE_BYTES, MADV_DONTNEED);
}
