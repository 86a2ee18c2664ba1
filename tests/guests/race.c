/* Opens its argument over and over, and says "got it" where the content begins with "secret". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	long times = argc > 2 ? atol(argv[2]) : 1;
	long opened = 0;
	long got = 0;

	for (long i = 0; argc > 1 && i < times; i++) {
		char bytes[6] = "";
		int fd = open(argv[1], O_RDONLY);

		if (fd < 0)
			continue;
		opened++;
		if (read(fd, bytes, sizeof(bytes)) == sizeof(bytes) && memcmp(bytes, "secret", 6) == 0)
			got++;
		close(fd);
	}
	printf("%s %ld\n", got > 0 ? "got it" : "never", opened);
	return 0;
}
