/*
 * MSG_FASTOPEN with garbage in the upper half of the register.
 *
 * porta: --allow-net 203.0.113.5:80
 * arch: x86_64
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (syscall(SYS_sendto, fd, "x", 1, (1UL << 40) | MSG_FASTOPEN, &name, sizeof(name)) != 1)
		return held("sendto");
	return gives_secret(fd) ? escaped("connected by sendto") : held("read");
}
