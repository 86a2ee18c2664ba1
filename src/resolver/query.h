/*
 * The questions in the works: each is asked of the broker, then, if it admits the
 * name, of nameservers in turn, and then answered to the client that asked.
 */
#ifndef PORTA_RESOLVER_QUERY_H
#define PORTA_RESOLVER_QUERY_H

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "broker/resolver_protocol.h"
#include "resolver/client.h"
#include "resolver/dns_message.h"
#include "resolver/upstream.h"

/*
 *	FREE --question--> DECIDING --verdict--> EXCHANGING --addresses--> FILTERING --> FREE
 *			     ^____ next server, TCP, no EDNS ____|
 *
 * The broker always answers, or is gone, and then so is the resolver: only EXCHANGING
 * has a deadline.
 */
enum query_state {
	QUERY_FREE,
	QUERY_DECIDING,	  /* the broker is asked for the name and for a socket */
	QUERY_EXCHANGING, /* a nameserver is asked */
	QUERY_FILTERING,  /* the broker is asked for the addresses */
};

struct query {
	enum query_state state;
	uint32_t number; /* names this use of the slot to the broker */
	struct client client;
	struct dns_question question;
	uint16_t attempt;
	bool use_tcp;
	bool without_edns;
	struct upstream upstream; /* EXCHANGING */
	uint64_t deadline_ms;
	struct dns_records *records; /* FILTERING */
};

/* Zeroed at first. */
struct queries {
	struct query slots[RESOLVER_QUERIES_MAX];
	size_t busy;
	uint32_t last_number;
	struct clients *clients;
	int control_fd;
};

void queries_init(struct queries *queries, struct clients *clients, int control_fd);
bool queries_are_full(const struct queries *queries);
/*
 * A client's packet: answers it at once, or begins a query, or drops it. There must be a free slot.
 * False if it was no DNS question.
 */
bool queries_receive(struct queries *queries, const struct client *client, const uint8_t *packet,
		     size_t length);
/* The broker's VERDICT or ADMIT; `passed_fd` (or -1) is taken over. */
void queries_order(struct queries *queries, const struct resolver_order *order, int passed_fd);
/* The query's nameserver socket is ready, or its deadline has passed. */
void queries_continue(struct queries *queries, struct query *query, bool is_late);

uint64_t query_now_ms(void);

#endif
