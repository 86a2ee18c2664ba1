/*
 * Families that a program has no use for.
 *
 * may-be-absent: a kernel without any of them
 */
#include "attack.h"

static int
attack(void)
{
	/* AX25, IPX, APPLETALK, NETROM, X25, ROSE, KEY, RDS, LLC, CAN, TIPC, BLUETOOTH, IUCV, RXRPC, ISDN, PHONET,
	 * IEEE802154, CAIF, NFC, KCM, QIPCRTR, SMC, XDP, MCTP */
	static const int families[] = { 3, 4, 5, 6, 9, 11, 15, 21, 26, 29, 30, 31, 32, 33, 34, 35, 36, 37, 39,
		41, 42, 43, 44, 45 };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++)
			if (socket(families[i], types[j], 0) >= 0)
				return escaped("a strange socket");
	return absent("socket");
}
