/*
 * One exchange with one nameserver, over a socket that the broker made and
 * connected: a query of porta's own with a fresh random id, and its reply.
 */
#ifndef PORTA_RESOLVER_UPSTREAM_H
#define PORTA_RESOLVER_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/dns_message.h"

struct upstream {
	int fd;
	bool use_tcp;
	uint16_t id;
	uint8_t query[2 + DNS_QUERY_MAX_BYTES]; /* over TCP with its length in front */
	size_t query_length;
	size_t sent;
	uint8_t *reply; /* TCP only: its length and what has arrived */
	size_t received;
};

/* Takes the socket over and sends the query, over TCP as soon as it can. After a negative errno
 * there is nothing to end. */
int upstream_start(struct upstream *upstream, int socket_fd, bool use_tcp, bool with_edns,
		   const char *name, uint16_t type);
/* What to poll for. */
short upstream_events(const struct upstream *upstream);
/*
 * The socket is ready: goes on. DNS_REPLY_FOREIGN means that the reply is not there
 * yet; anything else that the exchange is over (upstream_end is the caller's).
 */
enum dns_reply upstream_continue(struct upstream *upstream, const char *name, uint16_t type,
				 struct dns_records *ret_records);
void upstream_end(struct upstream *upstream);

#endif
