/*
 * A socket that was made elsewhere in the tree is passed over a unix socket and connected there.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in other = ipv4("203.0.113.6", 80);
	char room[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr message = { NULL, 0, &data, 1, room, sizeof(room), 0 };
	int pair[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return held("socketpair");
	if (fork() == 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
		_exit(sendmsg(pair[0], &message, 0) == 1 ? 0 : 1);
	}
	if (recvmsg(pair[1], &message, 0) != 1 || CMSG_FIRSTHDR(&message) == NULL)
		return held("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	if (connect(fd, (struct sockaddr *)&other, sizeof(other)) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected a passed socket") : held("read");
}
