/*
 * A FIFO outside, at whose other end a process waits: a read-only mount does not stop writing to it.
 */
#include "attack.h"

static int
attack(void)
{
	return write_byte(world_path("outside/fifo")) ? escaped("wrote to a FIFO outside") : held("open");
}
