/*
 * A rule for `*` is no rule for the cloud's metadata address.
 *
 * porta: --allow-net *:80
 */
#include "attack.h"

static int
attack(void)
{
	if (connect_attack6("::ffff:169.254.169.254", 80, "reached the metadata address, mapped") == 0)
		return 0;
	return connect_attack4("169.254.169.254", 80, "reached the metadata address");
}
