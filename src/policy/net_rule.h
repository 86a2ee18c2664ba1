/*
 * Network rules, as --allow-net, --deny-net and --allow-bind take them, and the
 * addresses and names that they match. Pure: no look-up, no socket.
 *
 *	RULE  = HOST ":" PORT
 *	HOST  = "*" | NAME | "*." NAME | IPV4[/BITS] | IPV6[/BITS] in brackets
 *	PORT  = N | N "-" M | "*"
 *
 * A CIDR with bits set behind its prefix is refused, and so is every form of an IPv4
 * address but four decimal numbers: what a rule says must be what it means.
 * Names are compared as RFC 5891 A-labels in lower case without the trailing dot.
 */
#ifndef PORTA_POLICY_NET_RULE_H
#define PORTA_POLICY_NET_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* RFC 1035 2.3.4: 255 octets on the wire, 253 characters as text. */
#define NET_NAME_MAX_CHARS 253
/* Room for any address as text, brackets and scope left out, with its NUL. */
#define NET_ADDRESS_TEXT_BYTES 48
/* How many rules one list may hold. */
#define NET_RULES_MAX 4096
/* The longest rule as text: a name of 63-character labels outside ASCII takes some bytes a character. */
#define NET_RULE_TEXT_MAX_BYTES 1024

/* An IPv4 address in the first four bytes, or an IPv6 one; network byte order. */
struct net_address {
	bool is_v6;
	uint8_t bytes[16];
};

/*
 * Where an address leads, by the IANA special-purpose registries (RFC 6890).
 * Addresses that carry an IPv4 one (mapped, NAT64, 6to4, Teredo, IPv4-compatible)
 * have the class of the one they carry, if that is not public.
 */
enum net_address_class {
	NET_ADDRESS_PUBLIC,
	NET_ADDRESS_LOOPBACK,	 /* 127/8, ::1, and the wildcard, which connects to it */
	NET_ADDRESS_LINK_LOCAL,	 /* 169.254/16, fe80::/10 */
	NET_ADDRESS_METADATA,	 /* cloud metadata: 169.254.169.254, fd00:ec2::254, ... */
	NET_ADDRESS_PRIVATE,	 /* RFC 1918, RFC 6598, fc00::/7, and other not global ranges */
	NET_ADDRESS_MULTICAST,	 /* also 255.255.255.255 */
	NET_ADDRESS_CLASS_COUNT,
};

enum net_host_kind {
	NET_HOST_ANY,	 /* "*": every public or private address; see net_decide.h */
	NET_HOST_NAME,	 /* "api.example.com" */
	NET_HOST_SUFFIX, /* "*.example.com": the name itself and every subdomain */
	NET_HOST_CIDR,	 /* an address is a CIDR with all its bits */
	NET_HOST_KIND_COUNT,
};

struct net_rule {
	enum net_host_kind kind;
	char *name;		    /* NAME and SUFFIX: canonical, without "*." */
	struct net_address network; /* CIDR: host bits are zero */
	unsigned prefix_bits;
	uint16_t port_first; /* 1-65535; "*" is 1-65535 */
	uint16_t port_last;
	char *text; /* as the person wrote it */
};

struct net_rules {
	struct net_rule *items;
	size_t count;
	size_t capacity;
};

/*
 * Parses one rule and appends it. -EINVAL with a sentence that says what is wrong and
 * shows the right form (the caller adds the flag's name); -E2BIG beyond NET_RULES_MAX.
 */
int net_rules_add(struct net_rules *rules, const char *text, struct error *err);
void net_rules_done(struct net_rules *rules);

bool net_rule_matches_port(const struct net_rule *rule, uint16_t port);
/* Whether a CIDR rule holds the address (v4-mapped ones compare as v4); false for other kinds. */
bool net_rule_matches_address(const struct net_rule *rule, const struct net_address *address);
/*
 * Whether the rule's host is 0.0.0.0 or ::, alone. A connect there arrives at this machine, and so that
 * is what it means to --allow-net and --deny-net; to --allow-bind it is the address that is bound.
 */
bool net_rule_names_this_machine(const struct net_rule *rule);
/* Whether a NAME or SUFFIX rule matches a canonical name; false for other kinds. */
bool net_rule_matches_name(const struct net_rule *rule, const char *canonical_name);

/*
 * Brings a host name to the form that rules are compared in: A-labels (IDNA2008, UTS 46
 * mapping), lower case, no trailing dot. -EINVAL for what is not a host name: empty or
 * over-long labels, NUL or control bytes. Underscores are allowed.
 */
int net_name_canonical(const char *name, char ret_name[NET_NAME_MAX_CHARS + 1], struct error *err);

/*
 * Parses a literal address: dotted quad with four decimal parts, or RFC 4291 text; no
 * scope, no brackets. v4-mapped IPv6 becomes IPv4. -EINVAL otherwise.
 */
int net_address_parse(const char *text, struct net_address *ret_address);
/* From the 16 bytes of a sin6_addr, v4-mapped made v4. */
void net_address_from_v6_bytes(const uint8_t bytes[16], struct net_address *ret_address);
void net_address_from_v4_bytes(const uint8_t bytes[4], struct net_address *ret_address);
/* RFC 5952 text, without brackets. */
void net_address_format(const struct net_address *address, char ret_text[NET_ADDRESS_TEXT_BYTES]);
bool net_address_equal(const struct net_address *a, const struct net_address *b);
enum net_address_class net_address_classify(const struct net_address *address);
/*
 * The class, and in *ret_prefix_bits the length of the prefix that gives it: 8 for 127.0.0.1, 32 for
 * 169.254.169.254, 0 for a public address. A rule names a class if its network lies within that prefix.
 */
enum net_address_class net_address_classify_range(const struct net_address *address,
						  unsigned *ret_prefix_bits);
/* Whether the address is one of this machine's own: 127/8, ::1, 0.0.0.0, ::. One that merely carries such is not. */
bool net_address_is_loopback(const struct net_address *address);
/* 0.0.0.0 or ::. */
bool net_address_is_wildcard(const struct net_address *address);
/* The IPv4 address that a NAT64, 6to4, Teredo, translated or IPv4-compatible one carries; false if none. */
bool net_address_carried_v4(const struct net_address *address, struct net_address *ret_carried);
/* Whether the first `prefix_bits` of both are the same; false for different families. */
bool net_address_share_prefix(const struct net_address *a, const struct net_address *b,
			      unsigned prefix_bits);

#endif
