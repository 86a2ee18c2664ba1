/*
 * A source route in the IP options of an allowed connection.
 *
 * porta: --allow-net 203.0.113.5:80
 */
#include "attack.h"

static int
attack(void)
{
	/* Loose source route with one hop, padded. */
	unsigned char options[8] = { 131, 7, 4, 203, 0, 113, 6, 0 };
	/* Without privilege: a route that each host on the way writes down. */
	unsigned char record[8] = { 7, 7, 4 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, IPPROTO_IP, 4 /* IP_OPTIONS */, options, sizeof(options)) == 0)
		return escaped("set a source route");
	if (setsockopt(fd, IPPROTO_IP, 4 /* IP_OPTIONS */, record, sizeof(record)) == 0)
		return escaped("set IP options");
	return held("IP_OPTIONS");
}
