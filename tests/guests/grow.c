/*
 * Grows its memory by 16 pages at a time and writes to each, up to as many pages as its argument
 * says. Prints how many it has at the end; exit code 1 where growing failed before.
 */
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_BYTES = 65536, STEP_PAGES = 16 };

int
main(int argc, char **argv)
{
	unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;

	while (__builtin_wasm_memory_size(0) < wanted) {
		unsigned long before = __builtin_wasm_memory_grow(0, STEP_PAGES);

		if (before == (unsigned long)-1) {
			printf("%lu pages\n", (unsigned long)__builtin_wasm_memory_size(0));
			return 1;
		}
		for (unsigned long page = before; page < before + STEP_PAGES; page++)
			*(volatile char *)(page * PAGE_BYTES) = 1;
	}
	printf("%lu pages\n", (unsigned long)__builtin_wasm_memory_size(0));
	return 0;
}
