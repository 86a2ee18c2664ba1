/*
 * A rule for `*` is no rule for a service on the host's loopback.
 *
 * porta: --allow-net *:7001
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack6("::1", 7001, "reached loopback") == 0)
		return 0;
	return connect_attack4("127.0.0.1", 7001, "reached loopback");
}
