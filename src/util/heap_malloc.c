/* malloc(3) and its kin by heap.h, in the place of the C library's. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/heap.h"

void *
malloc(size_t bytes)
{
	void *object = heap_alloc(bytes);

	if (object == NULL)
		errno = ENOMEM;
	return object;
}

void
free(void *object)
{
	heap_free(object); /* POSIX.1-2024: errno is left as it is */
}

void *
calloc(size_t count, size_t bytes)
{
	void *object;

	if (bytes != 0 && count > SIZE_MAX / bytes) {
		errno = ENOMEM;
		return NULL;
	}
	object = malloc(count * bytes);
	/* A mapping of its own is zeroed already. */
	if (object != NULL && count * bytes <= HEAP_OBJECT_MAX_BYTES)
		memset(object, 0, count * bytes);
	return object;
}

void *
realloc(void *object, size_t bytes)
{
	object = heap_resize(object, bytes);
	if (object == NULL)
		errno = ENOMEM;
	return object;
}
