/* For workers that serve many calls: does what its input names, and says what it found. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIG_BYTES (4 * 1024 * 1024)

__attribute__((import_module("porta"), import_name("emit"))) int32_t
host_emit(const char *request, uint32_t length, char *response, uint32_t capacity);

static unsigned int calls;
static char big[BIG_BYTES];

static volatile int depth_max = 1 << 30;

__attribute__((noinline)) static int
descend(int depth)
{
	if (depth >= depth_max)
		return depth;
	return descend(depth + 1) + depth_max;
}

/* "1 clean": the first call of this instance, with nothing of another one in its memory. */
static void
look(void)
{
	size_t dirty = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		dirty += big[i] != 0;
	printf("%u %s %zu pages", ++calls, dirty == 0 ? "clean" : "dirty",
	       __builtin_wasm_memory_size(0) - (size_t)(BIG_BYTES / 65536));
}

static void
soil(void)
{
	memset(big, 'x', sizeof(big));
	calls = 1000;
	if (__builtin_wasm_memory_grow(0, 100) == SIZE_MAX)
		abort();
	/* Not flushed by all that end this way. */
	fputs("left over", stdout);
}

static void
flood(void)
{
	for (;;) {
		if (write(STDOUT_FILENO, big, 65536) < 0)
			break;
	}
}

static void
ask(const char *request)
{
	char response[4096];
	int32_t length = host_emit(request, (uint32_t)strlen(request), response, sizeof(response));

	printf("%d %.*s", length, length < 0 ? 0 : (int)length, response);
}

int
main(int argc, char **argv)
{
	static char input[65536];
	size_t length = fread(input, 1, sizeof(input) - 1, stdin);

	(void)argc;
	(void)argv;
	input[length] = '\0';
	if (strcmp(input, "look") == 0)
		look();
	else if (strcmp(input, "soil") == 0)
		soil();
	else if (strcmp(input, "soil, trap") == 0)
		soil(), __builtin_trap();
	else if (strcmp(input, "soil, exit") == 0)
		soil(), fflush(stdout), _exit(200);
	else if (strcmp(input, "flood") == 0)
		flood();
	else if (strcmp(input, "grow") == 0)
		while (__builtin_wasm_memory_grow(0, 16) != SIZE_MAX)
			;
	else if (strcmp(input, "deep") == 0)
		return descend(0);
	else if (strcmp(input, "loop") == 0)
		for (;;)
			*(volatile char *)big = 1;
	else if (strncmp(input, "ask ", 4) == 0)
		ask(input + 4);
	else
		fwrite(input, 1, length, stdout);
	return 0;
}
