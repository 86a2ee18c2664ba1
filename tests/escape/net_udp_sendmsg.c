/*
 * A datagram by sendmsg, and by the second entry of sendmmsg.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80), harmless = ipv4("127.0.0.1", 53);
	struct iovec data = { "x", 1 };
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { &harmless, sizeof(harmless), &data, 1, NULL, 0, 0 } },
		{ .msg_hdr = { &name, sizeof(name), &data, 1, NULL, 0, 0 } },
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return held("socket");
	sendmsg(fd, &messages[1].msg_hdr, 0);
	if (gives_secret(dup(fd)))
		return escaped("sent a datagram by sendmsg");
	sendmmsg(fd, messages, 2, 0);
	return gives_secret(fd) ? escaped("sent a datagram by sendmmsg") : held("read");
}
