/*
 * The messages between the broker and porta-resolver: one SOCK_SEQPACKET pair, each
 * message one fixed struct, some with a descriptor. The resolver reads what the
 * sandbox sends, so that the broker takes each of its messages for hostile: it is
 * checked whole, and it carries no state that the broker would rely on.
 *
 *	resolver			broker
 *	READY or FAILED	  ------->
 *	SOCKET		  <-------	SOCKET (a family)
 *			  <-------	STREAM, with a client's TCP socket
 *	ASK (name, attempt) ------->	may this name be asked?
 *			  <-------	VERDICT, with a socket connected to a nameserver
 *	ADDRESSES	  ------->	which of them may the sandbox be told?
 *			  <-------	ADMIT
 */
#ifndef PORTA_BROKER_RESOLVER_PROTOCOL_H
#define PORTA_BROKER_RESOLVER_PROTOCOL_H

#include <stdint.h>

#include "policy/net_rule.h"

/* The resolver's end, as it finds it. */
#define RESOLVER_CONTROL_FD 3
/* Questions in the works; more wait in the socket's queue. */
#define RESOLVER_QUERIES_MAX 128
/* Addresses of one answer; more are left out. */
#define RESOLVER_ANSWER_ADDRESSES_MAX 64

enum resolver_event_kind {
	RESOLVER_EVENT_READY,	  /* passes a socket of its namespace, or why there is none: `code` */
	RESOLVER_EVENT_FAILED,	  /* could not be confined: `code`, `name` says what; it exits */
	RESOLVER_EVENT_SOCKET,	  /* passes a socket of the namespace, or `code` */
	RESOLVER_EVENT_ASK,	  /* `query`, `name`, `type`, `attempt` from 0 on, `use_tcp` */
	RESOLVER_EVENT_ADDRESSES, /* a struct resolver_addresses */
	RESOLVER_EVENT_KIND_COUNT,
};

struct resolver_event {
	uint32_t kind;
	uint32_t query; /* the resolver's own number, handed back */
	int32_t code;
	uint16_t attempt;
	uint8_t use_tcp;
	char name[NET_NAME_MAX_CHARS + 1]; /* canonical, NUL-terminated */
};

struct resolver_addresses {
	uint32_t kind;
	uint32_t query;
	uint16_t count;
	uint8_t is_v6;
	char name[NET_NAME_MAX_CHARS + 1];
	uint8_t addresses[RESOLVER_ANSWER_ADDRESSES_MAX][16]; /* IPv4 in the first four bytes */
};

enum resolver_order_kind {
	RESOLVER_ORDER_SOCKET,	/* `value` is AF_INET or AF_INET6 */
	RESOLVER_ORDER_STREAM,	/* passes a connected TCP socket: a client that speaks DNS */
	RESOLVER_ORDER_VERDICT, /* `value` is one of enum resolver_verdict */
	RESOLVER_ORDER_ADMIT,	/* bit i of `admitted`: address i of the message */
	RESOLVER_ORDER_KIND_COUNT,
};

enum resolver_verdict {
	RESOLVER_VERDICT_REFUSED,   /* the policy does not admit the name */
	RESOLVER_VERDICT_UPSTREAM,  /* passes a socket; none: that server cannot be reached */
	RESOLVER_VERDICT_EXHAUSTED, /* every server was tried as often as resolv.conf says */
	RESOLVER_VERDICT_COUNT,
};

struct resolver_order {
	uint32_t kind;
	uint32_t query;
	int32_t value;
	uint32_t timeout_ms; /* UPSTREAM: how long to wait for that server */
	uint64_t admitted;
};

#endif
