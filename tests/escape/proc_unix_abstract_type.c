/*
 * An abstract socket outside whose name the sandbox listens on by a socket of another type: streams and seqpackets
 * have names of their own.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0porta-test-victim" };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + 18;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (bind(fd, (struct sockaddr *)&name, length) < 0 || listen(fd, 5) < 0)
		return held("listen");
	return stream_attack(AF_UNIX, &name, length, "an own socket of another type opened an abstract one outside");
}
