/*
 * An O_PATH descriptor of a file outside is reopened for writing by its magic link.
 */
#include "attack.h"

static int
attack(void)
{
	char magic[64];
	int fd = open(world_path("outside/victim"), O_PATH);

	snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	return write_byte(magic) ? escaped("wrote through an O_PATH descriptor") : held("open");
}
