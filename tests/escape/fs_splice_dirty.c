/*
 * Data is spliced and copied by the kernel into a read-only descriptor of a file outside.
 */
#include "attack.h"

static int
attack(void)
{
	int source = open("mine", O_RDWR | O_CREAT, 0644);
	int fd = open(world_path("outside/victim"), O_WRONLY);
	loff_t zero = 0;

	if (write(source, "XXXX", 4) != 4)
		return held("write");
	if (fd < 0)
		fd = open(world_path("outside/victim"), O_RDONLY);
	if (copy_file_range(source, &zero, fd, NULL, 4, 0) == 4)
		return escaped("copied into a file outside");
	zero = 0;
	struct {
		int64_t source;
		uint64_t offset, length, destination;
	} range = { source, 0, 4096, 0 };
	if (ioctl(fd, 0x4020940d /* FICLONERANGE */, &range) == 0)
		return escaped("cloned into a file outside");
	return held("copy_file_range");
}
