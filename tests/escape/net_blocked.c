/*
 * The blocked network: loopback, an outside address, IPv6.
 *
 * porta: --net blocked
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack4("203.0.113.6", 80, "reached an outside address") == 0)
		return 0;
	if (connect_attack6("::1", 7001, "reached loopback by IPv6") == 0)
		return 0;
	return connect_attack4("127.0.0.1", 7001, "reached loopback");
}
