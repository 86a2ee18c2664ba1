/* Internet addresses: text, and where they lead; see net_rule.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "policy/net_rule.h"
#include "util/macros.h"

enum { V4_BYTES = 4, V6_BYTES = 16 };

/* A range of the special-purpose registries; the first match in a table decides. */
struct class_range {
	uint8_t bytes[V6_BYTES];
	unsigned prefix_bits;
	enum net_address_class class;
};

/*
 * The documentation ranges (RFC 5737, RFC 3849) are public here: nobody routes them, and
 * people test with them. 0.0.0.0 alone is loopback, since a connect to it arrives there.
 */
static const struct class_range v4_ranges[] = {
	{ { 0, 0, 0, 0 }, 32, NET_ADDRESS_LOOPBACK },
	{ { 0 }, 8, NET_ADDRESS_PRIVATE },
	{ { 127 }, 8, NET_ADDRESS_LOOPBACK },
	{ { 169, 254, 169, 254 }, 32, NET_ADDRESS_METADATA }, /* AWS, Azure, Google, OpenStack */
	{ { 169, 254, 170, 2 }, 32, NET_ADDRESS_METADATA },   /* AWS: credentials of ECS tasks */
	{ { 169, 254, 170, 23 }, 32, NET_ADDRESS_METADATA },  /* AWS: credentials of EKS pods */
	{ { 169, 254, 0, 23 }, 32, NET_ADDRESS_METADATA },    /* Tencent */
	{ { 169, 254, 42, 42 }, 32, NET_ADDRESS_METADATA },   /* Scaleway */
	{ { 100, 100, 100, 200 }, 32, NET_ADDRESS_METADATA }, /* Alibaba */
	{ { 168, 63, 129, 16 }, 32, NET_ADDRESS_METADATA },   /* Azure: the agent's wire server */
	{ { 192, 0, 0, 192 }, 32, NET_ADDRESS_METADATA },     /* Oracle */
	{ { 169, 254 }, 16, NET_ADDRESS_LINK_LOCAL },
	{ { 10 }, 8, NET_ADDRESS_PRIVATE },
	{ { 172, 16 }, 12, NET_ADDRESS_PRIVATE },
	{ { 192, 168 }, 16, NET_ADDRESS_PRIVATE },
	{ { 100, 64 }, 10, NET_ADDRESS_PRIVATE },   /* RFC 6598: carrier NAT */
	{ { 192, 0, 0 }, 24, NET_ADDRESS_PRIVATE }, /* RFC 6890: protocol assignments */
	{ { 198, 18 }, 15, NET_ADDRESS_PRIVATE },   /* RFC 2544: benchmarks */
	{ { 224 }, 4, NET_ADDRESS_MULTICAST },
	{ { 255, 255, 255, 255 }, 32, NET_ADDRESS_MULTICAST },
	{ { 240 }, 4, NET_ADDRESS_PRIVATE }, /* RFC 1112: reserved */
};

static const struct class_range v6_ranges[] = {
	{ { 0 }, 128, NET_ADDRESS_LOOPBACK },
	{ { [15] = 1 }, 128, NET_ADDRESS_LOOPBACK },
	/* fd00:ec2::254, fd00:ec2::23: AWS */
	{ { 0xfd, 0, 0x0e, 0xc2, [14] = 2, [15] = 0x54 }, 128, NET_ADDRESS_METADATA },
	{ { 0xfd, 0, 0x0e, 0xc2, [15] = 0x23 }, 128, NET_ADDRESS_METADATA },
	/* fd20:ce::254: Google; fd00:c1::a9fe:a9fe: Oracle; fd00:42::42: Scaleway */
	{ { 0xfd, 0x20, 0, 0xce, [14] = 2, [15] = 0x54 }, 128, NET_ADDRESS_METADATA },
	{ { 0xfd, 0, 0, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe }, 128, NET_ADDRESS_METADATA },
	{ { 0xfd, 0, 0, 0x42, [15] = 0x42 }, 128, NET_ADDRESS_METADATA },
	/* fe80::a9fe:a9fe: OpenStack */
	{ { 0xfe, 0x80, [12] = 0xa9, 0xfe, 0xa9, 0xfe }, 128, NET_ADDRESS_METADATA },
	{ { 0xfe, 0x80 }, 10, NET_ADDRESS_LINK_LOCAL },
	{ { 0xff }, 8, NET_ADDRESS_MULTICAST },
	{ { 0xfc }, 7, NET_ADDRESS_PRIVATE },			    /* RFC 4193: unique local */
	{ { 0xfe, 0xc0 }, 10, NET_ADDRESS_PRIVATE },		    /* RFC 3879: site local */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, NET_ADDRESS_PRIVATE }, /* RFC 8215: local NAT64 */
	{ { 1 }, 64, NET_ADDRESS_PRIVATE },			    /* RFC 6666: discard */
	{ { 0x20, 1, 0, 2 }, 48, NET_ADDRESS_PRIVATE },		    /* RFC 5180: benchmarks */
	{ { 0x20, 1, 0, 0x10 }, 28, NET_ADDRESS_PRIVATE },	    /* RFC 4843: ORCHID */
	{ { 0x20, 1, 0, 0x20 }, 28, NET_ADDRESS_PRIVATE },	    /* RFC 7343: ORCHIDv2 */
	{ { 0x5f }, 16, NET_ADDRESS_PRIVATE },			    /* RFC 9602: SRv6 SIDs */
};

/* IPv6 prefixes whose addresses carry an IPv4 one at `offset`. */
static const struct {
	uint8_t bytes[12];
	unsigned prefix_bits;
	unsigned offset;
	uint8_t mask; /* Teredo stores it inverted */
} carriers[] = {
	{ { [10] = 0xff, 0xff }, 96, 12, 0 },	      /* RFC 4291: mapped */
	{ { [8] = 0xff, 0xff }, 96, 12, 0 },	      /* RFC 2765: translated */
	{ { 0 }, 96, 12, 0 },			      /* RFC 4291: compatible */
	{ { 0, 0x64, 0xff, 0x9b }, 96, 12, 0 },	      /* RFC 6052: NAT64 */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, 12, 0 }, /* RFC 8215: NAT64, in its /96 form */
	{ { 0x20, 0x02 }, 16, 2, 0 },		      /* RFC 3056: 6to4 */
	{ { 0x20, 0x01, 0, 0 }, 32, 12, 0xff },	      /* RFC 4380: Teredo */
};

static bool
bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool
net_address_share_prefix(const struct net_address *a, const struct net_address *b,
			 unsigned prefix_bits)
{
	return a->is_v6 == b->is_v6 && bits_equal(a->bytes, b->bytes, prefix_bits);
}

bool
net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return net_address_share_prefix(a, b, a->is_v6 ? 128 : 32);
}

void
net_address_from_v4_bytes(const uint8_t bytes[4], struct net_address *ret_address)
{
	struct net_address address = { .is_v6 = false };

	memcpy(address.bytes, bytes, V4_BYTES);
	*ret_address = address;
}

void
net_address_from_v6_bytes(const uint8_t bytes[16], struct net_address *ret_address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	struct net_address address = { .is_v6 = true };

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		net_address_from_v4_bytes(bytes + sizeof(mapped), ret_address);
		return;
	}
	memcpy(address.bytes, bytes, V6_BYTES);
	*ret_address = address;
}

int
net_address_parse(const char *text, struct net_address *ret_address)
{
	uint8_t bytes[V6_BYTES];

	/* inet_pton, unlike inet_aton, takes four decimal parts without leading zeros only. */
	if (inet_pton(AF_INET, text, bytes) == 1)
		net_address_from_v4_bytes(bytes, ret_address);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		net_address_from_v6_bytes(bytes, ret_address);
	else
		return -EINVAL;
	return 0;
}

void
net_address_format(const struct net_address *address, char ret_text[NET_ADDRESS_TEXT_BYTES])
{
	inet_ntop(address->is_v6 ? AF_INET6 : AF_INET, address->bytes, ret_text,
		  NET_ADDRESS_TEXT_BYTES);
}

bool
net_address_is_wildcard(const struct net_address *address)
{
	static const uint8_t zero[V6_BYTES];

	return memcmp(address->bytes, zero, address->is_v6 ? V6_BYTES : V4_BYTES) == 0;
}

bool
net_address_is_loopback(const struct net_address *address)
{
	static const uint8_t one[V6_BYTES] = { [15] = 1 };

	if (net_address_is_wildcard(address))
		return true;
	return address->is_v6 ? memcmp(address->bytes, one, V6_BYTES) == 0
			      : address->bytes[0] == 127;
}

/* As net_address_carried_v4; *ret_prefix_bits is where the carried one begins. */
static bool
find_carried(const struct net_address *address, struct net_address *ret_carried,
	     unsigned *ret_prefix_bits)
{
	if (!address->is_v6 || net_address_is_loopback(address))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		uint8_t bytes[V4_BYTES];

		if (!bits_equal(address->bytes, carriers[i].bytes, carriers[i].prefix_bits))
			continue;
		for (unsigned j = 0; j < V4_BYTES; j++)
			bytes[j] = address->bytes[carriers[i].offset + j] ^ carriers[i].mask;
		net_address_from_v4_bytes(bytes, ret_carried);
		*ret_prefix_bits = carriers[i].offset * 8;
		return true;
	}
	return false;
}

bool
net_address_carried_v4(const struct net_address *address, struct net_address *ret_carried)
{
	unsigned bits;

	return find_carried(address, ret_carried, &bits);
}

enum net_address_class
net_address_classify_range(const struct net_address *address, unsigned *ret_prefix_bits)
{
	const struct class_range *ranges = address->is_v6 ? v6_ranges : v4_ranges;
	size_t count = address->is_v6 ? ARRAY_SIZE(v6_ranges) : ARRAY_SIZE(v4_ranges);
	struct net_address carried;
	unsigned carrier_bits;

	if (find_carried(address, &carried, &carrier_bits)) {
		unsigned bits;
		enum net_address_class class = net_address_classify_range(&carried, &bits);

		if (class != NET_ADDRESS_PUBLIC) {
			*ret_prefix_bits = carrier_bits + bits;
			return class;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (bits_equal(address->bytes, ranges[i].bytes, ranges[i].prefix_bits)) {
			*ret_prefix_bits = ranges[i].prefix_bits;
			return ranges[i].class;
		}
	}
	*ret_prefix_bits = 0;
	return NET_ADDRESS_PUBLIC;
}

enum net_address_class
net_address_classify(const struct net_address *address)
{
	unsigned bits;

	return net_address_classify_range(address, &bits);
}
