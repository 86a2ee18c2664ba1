/*
 * Options of an internet socket that choose interface, foreign address, upper protocol or flow label.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0), fd6 = socket(AF_INET6, SOCK_STREAM, 0);
	unsigned char label[32] = { [20] = 0, [22] = 1, [23] = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == 0)
		return escaped("SO_BINDTODEVICE");
	if (setsockopt(fd, SOL_SOCKET, 62 /* SO_BINDTOIFINDEX */, &one, sizeof(one)) == 0)
		return escaped("SO_BINDTOIFINDEX");
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) == 0)
		return escaped("IP_FREEBIND");
	if (setsockopt(fd, IPPROTO_IP, 50 /* IP_UNICAST_IF */, &one, sizeof(one)) == 0)
		return escaped("IP_UNICAST_IF");
	if (setsockopt(fd6, IPPROTO_IPV6, 32 /* IPV6_FLOWLABEL_MGR */, label, sizeof(label)) == 0)
		return escaped("IPV6_FLOWLABEL_MGR");
	if (setsockopt(fd6, IPPROTO_IPV6, 78 /* IPV6_FREEBIND */, &one, sizeof(one)) == 0)
		return escaped("IPV6_FREEBIND");
	if (setsockopt(fd, IPPROTO_TCP, 31 /* TCP_ULP */, "tls", 3) == 0 || errno == ENOTCONN)
		return escaped("TCP_ULP");
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)) == 0)
		return escaped("TCP_REPAIR");
	if (setsockopt(fd, IPPROTO_TCP, 23 /* TCP_FASTOPEN */, &one, sizeof(one)) == 0)
		return escaped("TCP_FASTOPEN");
	return held("setsockopt");
}
