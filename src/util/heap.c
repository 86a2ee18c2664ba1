/* A heap for a program that starts often; see heap.h. */
#include "util/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "util/macros.h"

#define ALIGNMENT 16
/* Pages of it that nobody touches cost nothing; a run without much to do needs 50 KiB. */
#define FIRST_REGION_BYTES ((size_t)256 * 1024)
#define REGION_BYTES	   ((size_t)1024 * 1024)
/* Sizes in steps of 16 up to here, then powers of two. */
#define FINE_MAX_BYTES ((size_t)512)
#define FINE_COUNT     (FINE_MAX_BYTES / ALIGNMENT)
#define CLASS_COUNT    (FINE_COUNT + 7)
#define LARGE_CLASS    CLASS_COUNT

/* Before each object. `check` ties it to its place and to this process: not to be guessed or copied. */
struct header {
	uint32_t class;
	uint32_t is_free;
	uintptr_t check;
};

struct large_header {
	size_t mapped_bytes;
	size_t unused;
	struct header header;
};

struct free_object {
	struct free_object *next;
};

static_assert(sizeof(struct header) == ALIGNMENT, "objects keep the alignment");
static_assert(FINE_MAX_BYTES << (CLASS_COUNT - FINE_COUNT) == HEAP_OBJECT_MAX_BYTES,
	      "the last class is that of the largest object");

static char first_region[FIRST_REGION_BYTES] __attribute__((aligned(4096)));
static char *region_next = first_region;
static char *region_end = first_region + FIRST_REGION_BYTES;
static struct free_object *free_lists[CLASS_COUNT];
static uintptr_t secret;

static size_t
class_of(size_t bytes)
{
	size_t class = FINE_COUNT;

	if (bytes <= FINE_MAX_BYTES)
		return bytes == 0 ? 0 : (bytes - 1) / ALIGNMENT;
	while (FINE_MAX_BYTES << (class - FINE_COUNT + 1) < bytes)
		class++;
	return class;
}

static size_t
bytes_of(size_t class)
{
	return class < FINE_COUNT ? (class + 1) * ALIGNMENT
				  : FINE_MAX_BYTES << (class - FINE_COUNT + 1);
}

/* Of the kernel's 16 random bytes: getauxval(3), AT_RANDOM. */
static uintptr_t
own_secret(void)
{
	const void *random;

	if (secret != 0)
		return secret;
	random = (const void *)getauxval(AT_RANDOM);
	if (random != NULL)
		memcpy(&secret, random, sizeof(secret));
	secret |= 1;
	return secret;
}

static void *
begin_object(struct header *header, size_t class)
{
	*header = (struct header){ .class = (uint32_t)class,
				   .check = (uintptr_t)header ^ own_secret() };
	return header + 1;
}

static struct header *
header_of(void *object)
{
	struct header *header = (struct header *)object - 1;

	if ((uintptr_t)object % ALIGNMENT != 0 || header->is_free != 0 ||
	    header->class > LARGE_CLASS || header->check != ((uintptr_t)header ^ own_secret()))
		abort();
	return header;
}

static void *
alloc_large(size_t bytes)
{
	size_t whole = bytes + sizeof(struct large_header);
	struct large_header *large;

	if (whole < bytes)
		return NULL;
	large = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (large == MAP_FAILED)
		return NULL;
	large->mapped_bytes = whole;
	return begin_object(&large->header, LARGE_CLASS);
}

/* The end of a region that is too short for the object is given up. */
static void *
cut(size_t bytes)
{
	char *start;

	if ((size_t)(region_end - region_next) < bytes) {
		start = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (start == MAP_FAILED)
			return NULL;
		region_next = start;
		region_end = start + REGION_BYTES;
	}
	start = region_next;
	region_next += bytes;
	return start;
}

void *
heap_alloc(size_t bytes)
{
	struct free_object *object;
	struct header *header;
	size_t class;

	if (bytes > HEAP_OBJECT_MAX_BYTES)
		return alloc_large(bytes);
	class = class_of(bytes);
	object = free_lists[class];
	if (object != NULL) {
		header = (struct header *)object - 1;
		/* Written to after it was freed. */
		if (header->is_free == 0 || header->check != ((uintptr_t)header ^ secret))
			abort();
		free_lists[class] = object->next;
		return begin_object(header, class);
	}
	header = cut(sizeof(*header) + bytes_of(class));
	return header == NULL ? NULL : begin_object(header, class);
}

void
heap_free(void *pointer)
{
	struct free_object *object = pointer;
	struct header *header;

	if (object == NULL)
		return;
	header = header_of(object);
	if (header->class == LARGE_CLASS) {
		struct large_header *large = (struct large_header *)object - 1;

		munmap(large, large->mapped_bytes);
		return;
	}
	header->is_free = 1;
	object->next = free_lists[header->class];
	free_lists[header->class] = object;
}

static size_t
room_of(void *object)
{
	const struct header *header = header_of(object);
	const struct large_header *large = (const struct large_header *)object - 1;

	return header->class == LARGE_CLASS ? large->mapped_bytes - sizeof(*large)
					    : bytes_of(header->class);
}

void *
heap_resize(void *object, size_t bytes)
{
	void *other;
	size_t room;

	if (object == NULL)
		return heap_alloc(bytes);
	room = room_of(object);
	if (bytes <= room)
		return object;
	other = heap_alloc(bytes);
	if (other == NULL)
		return NULL;
	memcpy(other, object, room);
	heap_free(object);
	return other;
}
