/*
 * A port that no rule allows, at an allowed address.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	return connect_attack4("203.0.113.5", 81, "reached a port that is not allowed");
}
