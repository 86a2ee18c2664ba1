/*
 * A read-only descriptor of a file outside is mapped shared and made writable.
 */
#include "attack.h"

static int
attack(void)
{
	int fd = open(world_path("outside/victim"), O_RDWR);

	if (fd < 0)
		fd = open(world_path("outside/victim"), O_RDONLY);
	char *text = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (text == MAP_FAILED)
		return held("mmap");
	if (mprotect(text, 4096, PROT_READ | PROT_WRITE) < 0)
		return held("mprotect");
	text[0] = 'X';
	return escaped("wrote through a mapping");
}
