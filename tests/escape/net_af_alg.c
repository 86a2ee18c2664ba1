/*
 * A socket to the kernel's ciphers: much attack surface, no use.
 *
 * may-be-absent: a kernel without AF_ALG
 */
#include "attack.h"

static int
attack(void)
{
	int fd = socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? absent("socket") : held("socket");
	return escaped("a socket to the kernel's ciphers");
}
