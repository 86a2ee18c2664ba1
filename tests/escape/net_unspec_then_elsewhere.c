/*
 * An allowed connection is dissolved by AF_UNSPEC and made again elsewhere.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_in allowed = ipv4("203.0.113.5", 80), other = ipv4("203.0.113.6", 80);
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&allowed, sizeof(allowed)) < 0)
		return held("connect to the allowed address");
	connect(fd, &nowhere, sizeof(nowhere));
	if (connect(fd, (struct sockaddr *)&other, sizeof(other)) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped("connected elsewhere by the same socket") : held("read");
}
