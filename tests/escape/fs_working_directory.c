/*
 * The program chooses its working directory: what is writable does not follow it.
 */
#include "attack.h"

static int
attack(void)
{
	if (chdir(world_path("outside")) < 0)
		return held("chdir");
	return write_byte("victim") ? escaped("wrote in the chosen directory") : held("open");
}
