/* As many MiB to stdout as its first argument says (to stderr where there is a second). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char piece[1024 * 1024];

int
main(int argc, char **argv)
{
	unsigned long mebibytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	int fd = argc > 2 ? 2 : 1;

	memset(piece, 'x', sizeof(piece));
	for (unsigned long i = 0; i < mebibytes; i++) {
		for (size_t done = 0; done < sizeof(piece);) {
			ssize_t written = write(fd, piece + done, sizeof(piece) - done);

			if (written < 0)
				return 1;
			done += (size_t)written;
		}
	}
	return 0;
}
