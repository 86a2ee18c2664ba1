/* A WASM guest for calls on a warm worker: reads one request of the agent protocol and answers with it. */
#include <stdint.h>
#include <unistd.h>

int
main(void)
{
	static char text[4096];
	uint32_t length;
	ssize_t n;

	if (read(STDIN_FILENO, &length, sizeof(length)) != sizeof(length) || length > sizeof(text))
		return 1;
	n = read(STDIN_FILENO, text, length);
	return n < 0 || write(STDOUT_FILENO, text, (size_t)n) != n;
}
