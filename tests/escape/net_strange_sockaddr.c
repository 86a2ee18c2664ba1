/*
 * Addresses of every length, unreadable, and with garbage behind: the broker answers and lives, then refuses.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	char big[4096];
	struct sockaddr_in other = ipv4("203.0.113.6", 80);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(big, 'A', sizeof(big));
	memcpy(big, &other, sizeof(other));
	for (size_t length = 0; length <= 200; length++)
		for (int family = AF_UNSPEC; family < 12; family++) {
			memcpy(big, &family, 2);
			if (family == AF_UNSPEC && length >= 2)
				continue;
			connect(fd, (struct sockaddr *)big, (socklen_t)length);
		}
	memcpy(big, &other, sizeof(other));
	connect(fd, (struct sockaddr *)8, 16);
	connect(fd, (struct sockaddr *)big, 0x7fffffff);
	connect(fd, (struct sockaddr *)big, (socklen_t)-1);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)big, sizeof(big) / 32) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected by an oversized address") : held("read");
}
