/*
 * Raw internet sockets and packet sockets, as root.
 *
 * porta: --allow-net 203.0.113.5:80
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	if (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0)
		return escaped("a raw socket");
	if (socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) >= 0)
		return escaped("a raw IPv6 socket");
	if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || socket(AF_PACKET, SOCK_DGRAM, 0) >= 0)
		return escaped("a packet socket");
	return held("socket");
}
