/*
 * DNS messages (RFC 1035, 3596, 2782, 6891), as far as porta speaks them: the
 * sandbox's question is read whole or refused, the query to a nameserver and the
 * answer to the sandbox are made anew. Pure functions over bytes that others chose.
 *
 * The C library's ns_* functions are not used: they give names as escaped text, in which
 * a dot inside of a label is easily taken for one between labels, and musl, with which
 * this program starts fastest, has few of them.
 */
#ifndef PORTA_RESOLVER_DNS_MESSAGE_H
#define PORTA_RESOLVER_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/net_rule.h"

/* A question is at most 12 + 255 + 4 octets; room for what clients put into EDNS options. */
#define DNS_QUESTION_MAX_BYTES 2048
#define DNS_MESSAGE_MAX_BYTES  65535
/* RFC 1035 2.3.4, on the wire. */
#define DNS_NAME_MAX_BYTES 255
/* A query of porta's own: header, name, type and class, EDNS. */
#define DNS_QUERY_MAX_BYTES (12 + DNS_NAME_MAX_BYTES + 4 + 11)
/* What porta offers to nameservers: no fragments on any usual path (DNS flag day 2020). */
#define DNS_EDNS_BYTES 1232
/* What every client takes (RFC 1035 2.3.4). */
#define DNS_UDP_MIN_BYTES 512
/* The most that is sent in one datagram, whatever the client says that it takes. */
#define DNS_UDP_MAX_BYTES 4096
/* Records of one answer, and the octets of their data; what is beyond is left out. */
#define DNS_RECORDS_MAX	      128
#define DNS_RECORDS_MAX_BYTES 16384
/*
 * Pointers followed in one name: one for each label is more than anybody needs. (A message of pointers to pointers
 * took seconds to read, with all other questions.)
 */
#define DNS_POINTERS_MAX 127
/* CNAMEs followed within one answer. */
#define DNS_CHAIN_MAX 16

#define DNS_CLASS_IN 1

/* IANA's numbers of those that porta knows. */
enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_OPT = 41,
};

enum dns_rcode {
	DNS_RCODE_NO_ERROR = 0,
	DNS_RCODE_FORMAT_ERROR = 1,
	DNS_RCODE_SERVER_FAILURE = 2,
	DNS_RCODE_NO_NAME = 3,
	DNS_RCODE_NOT_IMPLEMENTED = 4,
	DNS_RCODE_BAD_VERSION = 16, /* RFC 6891 6.1.3 */
};

/* What a client asked. */
struct dns_question {
	uint16_t id;
	bool recursion_desired;
	bool has_edns;
	uint16_t udp_bytes; /* the largest answer that fits: 512 - DNS_UDP_MAX_BYTES */
	uint16_t type;
	uint8_t wire[DNS_NAME_MAX_BYTES]; /* the name in the client's case, which some compare */
	size_t wire_length;		  /* 0: there is no question to repeat */
	/* In lower case, without a trailing dot; "" if it is no host name. */
	char name[NET_NAME_MAX_CHARS + 1];
};

enum dns_question_outcome {
	DNS_QUESTION_DROP,  /* no question at all: no answer either */
	DNS_QUESTION_REPLY, /* answered at once, with *ret_rcode */
	DNS_QUESTION_ASK,   /* a name and a type that porta forwards */
};

/*
 * Reads a question: one, of class IN, with nothing after it but one EDNS record. Its
 * options are ignored. Names with anything but letters, digits, "-" and "_" in their labels
 * do not exist; types that porta does not forward have no data.
 */
enum dns_question_outcome dns_question_parse(const uint8_t *message, size_t length,
					     struct dns_question *ret_question,
					     enum dns_rcode *ret_rcode);

/* Records of one type for the name asked; data without compression, checked for its type. */
struct dns_records {
	uint16_t type;
	uint32_t ttl; /* the least of all */
	size_t count;
	struct {
		uint16_t offset;
		uint16_t length;
	} items[DNS_RECORDS_MAX];
	size_t used;
	uint8_t bytes[DNS_RECORDS_MAX_BYTES];
};

/* Appends one; false when there is no room. */
bool dns_records_add(struct dns_records *records, const uint8_t *data, size_t length);

/* A query for a name in canonical text. Returns its length. */
size_t dns_query_build(uint16_t id, const char *name, uint16_t type, bool with_edns,
		       uint8_t ret_message[DNS_QUERY_MAX_BYTES]);

enum dns_reply {
	DNS_REPLY_FOREIGN, /* no reply to this query */
	DNS_REPLY_RECORDS, /* *ret_records, perhaps none */
	DNS_REPLY_NO_NAME,
	DNS_REPLY_TRUNCATED, /* ask again over TCP */
	DNS_REPLY_NO_EDNS,   /* ask again without it */
	DNS_REPLY_FAILED,    /* the server failed, or sent nonsense: ask another */
};

/*
 * Reads a nameserver's reply to dns_query_build(id, name, type). CNAMEs are followed
 * from `name` within the answer section; records of other names are passed over. The
 * chain is not kept: the records count as the asked name's own.
 */
enum dns_reply dns_reply_parse(const uint8_t *message, size_t length, uint16_t id, const char *name,
			       uint16_t type, struct dns_records *ret_records);

/*
 * Builds the answer, in at most `limit` octets (at least 512). Addresses that do not fit are left
 * out silently, since a part of them is as good; where other records do not, TC is set.
 * `records` may be NULL. Returns the length.
 */
size_t dns_answer_build(const struct dns_question *question, enum dns_rcode rcode,
			const struct dns_records *records, size_t limit,
			uint8_t ret_message[DNS_MESSAGE_MAX_BYTES]);

#endif
