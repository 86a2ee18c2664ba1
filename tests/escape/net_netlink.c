/*
 * Netlink beyond route: events, audit, firewall, socket diagnosis, generic.
 */
#include "attack.h"

static int
attack(void)
{
	static const int protocols[] = { 2, 4, 5, 6, 9, 10, 11, 12, 15, 16, 18, 19, 20, 21 };

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (socket(AF_NETLINK, SOCK_RAW, protocols[i]) >= 0)
			return escaped("a netlink socket beyond route");
	return held("socket");
}
