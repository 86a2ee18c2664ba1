/*
 * 0.0.0.0 and ::, which connect to loopback.
 *
 * porta: --allow-net *:7001
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack4("0.0.0.0", 7001, "reached loopback by 0.0.0.0") == 0)
		return 0;
	if (connect_attack6("::", 7001, "reached loopback by ::") == 0)
		return 0;
	return connect_attack6("::ffff:0.0.0.0", 7001, "reached loopback by ::ffff:0.0.0.0");
}
