/*
 * The loopback_only network: an address beyond loopback.
 *
 * porta: --net loopback_only
 */
#include "attack.h"

static int
attack(void)
{
	return connect_attack4("203.0.113.6", 80, "left loopback");
}
