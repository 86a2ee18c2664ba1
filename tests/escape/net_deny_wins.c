/*
 * --deny-net wins over a wider rule, for the mapped form too.
 *
 * porta: --allow-net 203.0.113.0/24:* --deny-net 203.0.113.6:80
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack6("::ffff:203.0.113.6", 80, "reached a denied address, mapped") == 0)
		return 0;
	return connect_attack4("203.0.113.6", 80, "reached a denied address");
}
