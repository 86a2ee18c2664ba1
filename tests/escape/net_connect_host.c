/*
 * An address that no rule allows.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	return connect_attack4("203.0.113.6", 80, "reached an address that is not allowed");
}
