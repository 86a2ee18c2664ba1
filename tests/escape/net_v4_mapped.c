/*
 * The refused IPv4 address as an IPv6 one, mapped.
 *
 * porta: --allow-net 203.0.113.5:80 --allow-net [2001:db8::5]:80
 */
#include "attack.h"

static int
attack(void)
{
	return connect_attack6("::ffff:203.0.113.6", 80, "reached a v4-mapped address");
}
