/*
 * A rule against 0.0.0.0, which is this machine: by each of its addresses.
 *
 * porta: --deny-net 0.0.0.0:7001
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack4("0.0.0.0", 7001, "reached loopback by 0.0.0.0") == 0)
		return 0;
	if (connect_attack4("127.0.0.1", 7001, "reached loopback by its own address") == 0)
		return 0;
	return connect_attack6("::1", 7001, "reached loopback by ::1");
}
