/*
 * An IPv6 address, where rules name IPv4 ones.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	return connect_attack6("2001:db8::6", 80, "reached an IPv6 address");
}
