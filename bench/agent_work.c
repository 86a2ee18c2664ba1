/* A WASM guest that computes: `agent_work sieve|hash|sort ROUNDS`; prints a number that depends on all of it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIEVE_SIZE (1 << 20)
#define HASH_BYTES (1 << 20)
#define SORT_COUNT (1 << 17)

static uint32_t
sieve(void)
{
	static uint8_t composite[SIEVE_SIZE];
	uint32_t count = 0;

	memset(composite, 0, sizeof(composite));
	for (uint32_t i = 2; i < SIEVE_SIZE; i++) {
		if (composite[i])
			continue;
		count++;
		for (uint32_t k = i * 2; k < SIEVE_SIZE; k += i)
			composite[k] = 1;
	}
	return count;
}

/* Not a hash of any standard: rotations, additions and table look-ups, as hashes are made of. */
static uint32_t
hash(void)
{
	static uint32_t words[HASH_BYTES / 4];
	uint32_t a = 1, b = 2, c = 3, d = 4;

	for (uint32_t i = 0; i < HASH_BYTES / 4; i++) {
		uint32_t x = words[i] ^ words[(i * 7 + a) % (HASH_BYTES / 4)];

		a = ((a << 7) | (a >> 25)) + (b ^ c) + x;
		b = ((b << 12) | (b >> 20)) ^ (c + d);
		c = ((c << 17) | (c >> 15)) + (d & a);
		d = ((d << 22) | (d >> 10)) ^ (a + b);
		words[i] = a ^ d;
	}
	return a ^ b ^ c ^ d;
}

static int
compare(const void *first, const void *second)
{
	uint32_t a = *(const uint32_t *)first;
	uint32_t b = *(const uint32_t *)second;

	return a < b ? -1 : a > b;
}

static uint32_t
sort(void)
{
	static uint32_t numbers[SORT_COUNT];
	uint32_t state = 1;

	for (uint32_t i = 0; i < SORT_COUNT; i++) {
		state = state * 1664525 + 1013904223;
		numbers[i] = state;
	}
	qsort(numbers, SORT_COUNT, sizeof(*numbers), compare);
	return numbers[SORT_COUNT / 2];
}

int
main(int argc, char **argv)
{
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
	uint32_t sum = 0;

	for (long i = 0; i < rounds && argc > 1; i++) {
		if (strcmp(argv[1], "sieve") == 0)
			sum += sieve();
		else if (strcmp(argv[1], "hash") == 0)
			sum += hash();
		else
			sum += sort();
	}
	printf("%u\n", (unsigned int)sum);
	return 0;
}
