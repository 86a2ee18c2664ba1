/*
 * A datagram to a socket outside, by sendto, sendmsg, sendmmsg and write, from SOCK_DGRAM and SOCK_RAW.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("datagram"));
	struct iovec data = { "x", 1 };
	struct mmsghdr message = { .msg_hdr = { &name, sizeof(name), &data, 1, NULL, 0, 0 } };
	static const int types[] = { SOCK_DGRAM, SOCK_RAW, SOCK_DGRAM | SOCK_CLOEXEC };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int fd = socket(AF_UNIX, types[i], 0);
		if (sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)) == 1)
			return escaped("sendto");
		if (sendmsg(fd, &message.msg_hdr, 0) == 1 || sendmmsg(fd, &message, 1, 0) == 1)
			return escaped("sendmsg");
		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && write(fd, "x", 1) == 1)
			return escaped("write");
	}
	return held("sendto");
}
