/*
 * A descriptor above 2 that the caller left open.
 *
 * fd5: outside/victim
 */
#include "attack.h"

static int
attack(void)
{
	if (write(5, "X", 1) != 1)
		return held("write");
	return escaped("wrote to a descriptor of the caller's");
}
