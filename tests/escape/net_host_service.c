/*
 * A service of the host on loopback, which the rules do not name.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack6("::1", 7001, "reached a service on ::1") == 0)
		return 0;
	return connect_attack4("127.0.0.1", 7001, "reached a service of the host");
}
