/* engine/memory: memcpy and memmove at each length around their steps, and each overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* Under other names, so that the ones of the C library can judge them. */
#define memcpy engine_memcpy
#define memmove engine_memmove
void *engine_memcpy(void *restrict to, const void *restrict from, size_t n);
void *engine_memmove(void *to, const void *from, size_t n);
#include "engine/memory.c"
#undef memcpy
#undef memmove

#define LENGTH_MAX 1200
#define MARGIN	   300

static void
fill(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256 + 7);
}

static void
test_memcpy(void **state)
{
	static uint8_t from[LENGTH_MAX + 16];
	static uint8_t to[LENGTH_MAX + 64];
	static uint8_t expected[LENGTH_MAX + 64];

	(void)state;
	fill(from, sizeof(from));
	for (size_t n = 0; n <= LENGTH_MAX; n++) {
		size_t shift = n % 16;

		memset(to, 0, sizeof(to));
		memset(expected, 0, sizeof(expected));
		memcpy(expected + 16 + shift, from + shift, n);
		assert_ptr_equal(engine_memcpy(to + 16 + shift, from + shift, n), to + 16 + shift);
		assert_memory_equal(to, expected, sizeof(to));
	}
}

static void
check_move(size_t n, size_t to, size_t from)
{
	uint8_t bytes[2 * MARGIN + LENGTH_MAX];
	uint8_t expected[2 * MARGIN + LENGTH_MAX];

	fill(bytes, sizeof(bytes));
	fill(expected, sizeof(expected));
	memmove(expected + to, expected + from, n);
	assert_ptr_equal(engine_memmove(bytes + to, bytes + from, n), bytes + to);
	assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void
test_memmove(void **state)
{
	(void)state;
	for (size_t n = 0; n <= MARGIN; n++) {
		for (size_t to = 0; to <= 2 * MARGIN; to += 1 + n / 40)
			check_move(n, to, MARGIN);
	}
	for (size_t to = 0; to <= 2 * MARGIN; to++)
		check_move(LENGTH_MAX, to, MARGIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memmove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
