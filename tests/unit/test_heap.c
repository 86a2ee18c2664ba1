/* util/heap: malloc for a program that starts often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/heap.h"
#include "util/macros.h"

#define SLOTS  400
#define ROUNDS 200000

static void
fill(unsigned char *object, size_t bytes, unsigned char seed)
{
	for (size_t i = 0; i < bytes; i++)
		object[i] = (unsigned char)(seed + i);
}

static void
check(const unsigned char *object, size_t bytes, unsigned char seed)
{
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(object[i], (unsigned char)(seed + i));
}

static size_t
random_size(void)
{
	static const size_t limits[] = { 16, 64, 512, 700, 5000, HEAP_OBJECT_MAX_BYTES,
					 3 * HEAP_OBJECT_MAX_BYTES };

	return (size_t)rand() % limits[(size_t)rand() % 100 < 90 ? (size_t)rand() % 4
								   : 4 + (size_t)rand() % 3];
}

/* Objects keep what was written to them, whatever becomes of the others. */
static void
test_objects_are_apart(void **state)
{
	struct {
		unsigned char *object;
		size_t bytes;
		unsigned char seed;
	} slots[SLOTS] = { 0 };

	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		size_t i = (size_t)rand() % SLOTS;
		size_t bytes = random_size();

		check(slots[i].object, MIN(slots[i].bytes, (size_t)256), slots[i].seed);
		if (rand() % 3 == 0) {
			slots[i].object = heap_resize(slots[i].object, bytes);
			assert_non_null(slots[i].object);
			check(slots[i].object, MIN(MIN(slots[i].bytes, bytes), (size_t)256),
			      slots[i].seed);
		} else {
			heap_free(slots[i].object);
			slots[i].object = heap_alloc(bytes);
			assert_non_null(slots[i].object);
		}
		assert_int_equal((uintptr_t)slots[i].object % 16, 0);
		slots[i].bytes = bytes;
		slots[i].seed = (unsigned char)rand();
		fill(slots[i].object, bytes, slots[i].seed);
	}
	for (size_t i = 0; i < SLOTS; i++) {
		check(slots[i].object, slots[i].bytes, slots[i].seed);
		heap_free(slots[i].object);
	}
}

static void
test_what_was_freed_is_used_again(void **state)
{
	void *first = heap_alloc(100);

	(void)state;
	heap_free(first);
	assert_ptr_equal(heap_alloc(97), first);
	heap_free(first);
}

static void
test_sizes_that_cannot_be(void **state)
{
	(void)state;
	assert_null(heap_alloc(SIZE_MAX));
	assert_null(heap_alloc(SIZE_MAX / 2));
	heap_free(NULL);
}

static void
free_twice(void)
{
	void *object = heap_alloc(40);

	heap_free(object);
	heap_free(object);
}

static void
free_the_middle(void)
{
	heap_free((char *)heap_alloc(64) + 16);
}

static void
overflow(void)
{
	char *first = heap_alloc(32);
	char *second = heap_alloc(32);

	/* What was freed before is used first; then they lie side by side. */
	while (second != first + 32 + 16) {
		first = second;
		second = heap_alloc(32);
	}
	memset(first, 'x', 48);
	heap_free(second);
}

static void
test_misuse_ends_the_process(void **state)
{
	static void (*const misuses[])(void) = { free_twice, free_the_middle, overflow };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(misuses); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			signal(SIGABRT, SIG_DFL); /* cmocka has it */
			misuses[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_are_apart),
		cmocka_unit_test(test_what_was_freed_is_used_again),
		cmocka_unit_test(test_sizes_that_cannot_be),
		cmocka_unit_test(test_misuse_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
