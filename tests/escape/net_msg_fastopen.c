/*
 * sendto and sendmsg with MSG_FASTOPEN connect without connect(2).
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in name = ipv4("203.0.113.6", 80);
	struct iovec data = { "x", 1 };
	struct msghdr message = { &name, sizeof(name), &data, 1, NULL, 0, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&name, sizeof(name)) == 1 &&
		gives_secret(dup(fd)))
		return escaped("connected by sendto");
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (sendmsg(fd, &message, MSG_FASTOPEN) < 0)
		return held("sendmsg");
	return gives_secret(fd) ? escaped("connected by sendmsg") : held("read");
}
