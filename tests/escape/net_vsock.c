/*
 * A socket to the hypervisor, whatever the network policy.
 *
 * may-be-absent: a kernel without vsock
 */
#include "attack.h"

static int
attack(void)
{
	int fd = socket(40 /* AF_VSOCK */, SOCK_STREAM, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? absent("socket") : held("socket");
	return escaped("a socket to the hypervisor");
}
