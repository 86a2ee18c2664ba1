/*
 * A routing header on an allowed connection sends its data by way of another host.
 *
 * porta: --allow-net [2001:db8::5]:80
 */
#include "attack.h"

static int
attack(void)
{
	/* RFC 8754: one segment, and the final destination. */
	struct {
		uint8_t next, length, type, left, last, flags;
		uint16_t tag;
		struct in6_addr segments[2];
	} header = { .length = 4, .type = 4, .left = 1, .last = 1 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	inet_pton(AF_INET6, "2001:db8::6", &header.segments[1]);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &header, sizeof(header)) < 0)
		return held("IPV6_RTHDR");
	return escaped("set a routing header");
}
