/*
 * SO_REUSEADDR joins the port of a service that has it too, where listening is limited to this machine.
 *
 * porta: --net outbound
 */
#include "udp_ports.h"

static int
attack(void)
{
	struct sockaddr_in v4 = ipv4("127.0.0.1", 7001);
	struct sockaddr_in wildcard = ipv4("0.0.0.0", 7001);
	struct sockaddr_in6 v6 = ipv6("::1", 7001);

	if (takes_datagrams(share(AF_INET, false), &v4, sizeof(v4), &v4, sizeof(v4)) ||
	    takes_datagrams(share(AF_INET, false), &wildcard, sizeof(wildcard), &v4, sizeof(v4)) ||
	    takes_datagrams(share(AF_INET6, true), &v6, sizeof(v6), &v6, sizeof(v6)))
		return escaped("took a service's datagrams");
	return held("bind");
}
