/*
 * SCTP, DCCP, UDP-Lite and SMC sockets.
 *
 * porta: --allow-net 203.0.113.5:80
 * may-be-absent: a kernel without any of them
 */
#include "attack.h"

static int
attack(void)
{
	if (socket(AF_INET, SOCK_STREAM, 132) >= 0 || socket(AF_INET, SOCK_SEQPACKET, 132) >= 0)
		return escaped("an SCTP socket");
	if (socket(AF_INET, 6 /* SOCK_DCCP */, 33) >= 0)
		return escaped("a DCCP socket");
	if (socket(AF_INET, SOCK_DGRAM, 136) >= 0)
		return escaped("a UDP-Lite socket");
	if (socket(43 /* AF_SMC */, SOCK_STREAM, 0) >= 0)
		return escaped("an SMC socket");
	return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ESOCKTNOSUPPORT
			   ? absent("socket") : held("socket");
}
