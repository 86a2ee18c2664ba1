/*
 * The same by SOCK_RAW, its other name, with garbage above the low bits.
 *
 * arch: x86_64
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("datagram"));
	int pair[2] = { -1, -1 };

	if (syscall(SYS_socketpair, AF_UNIX | (1UL << 35), SOCK_RAW | (1UL << 33), 0, pair) < 0)
		return held("socketpair");
	if (sendto(pair[0], "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("sendto");
	return escaped("sent a datagram from a raw pair");
}
