/* stdin to stdout, in pieces of 64 KiB, until the end or an error. */
#include <unistd.h>

static char piece[65536];

int
main(void)
{
	ssize_t n;

	while ((n = read(0, piece, sizeof(piece))) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t written = write(1, piece + done, (size_t)(n - done));

			if (written < 0)
				return 2;
			done += written;
		}
	}
	return n == 0 ? 0 : 1;
}
