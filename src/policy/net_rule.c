/* Network rules: parsing and matching; see net_rule.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "policy/net_rule.h"
#include "util/idna.h"
#include "util/mem.h"
#include "util/strings.h"

#define RIGHT_FORM                                                                                 \
	"write HOST:PORT, as in \"api.example.com:443\", \"*.example.com:*\" or "                  \
	"\"10.0.0.0/8:80-90\""

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/*
 * Whether programs would take the last label for a part of an IPv4 address, as the URL
 * standard says: "127.1", "2130706433", "0x7f.1". Such a thing is never a host name.
 */
static bool
ends_in_number(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *label = dot != NULL ? dot + 1 : name;

	if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
		return strspn(label + 2, "0123456789abcdefABCDEF") == strlen(label + 2);
	return *label != '\0' && strspn(label, "0123456789") == strlen(label);
}

/* Lower case and the limits of RFC 1035, over ASCII; what is shown in messages is the caller's. */
static int
canonical_ascii(const char *name, char ret_name[NET_NAME_MAX_CHARS + 1], struct error *err)
{
	char text[NET_NAME_MAX_CHARS + 2];
	size_t length = strlen(name);
	size_t label = 0;

	if (length > NET_NAME_MAX_CHARS + 1 ||
	    (length == NET_NAME_MAX_CHARS + 1 && name[length - 1] != '.'))
		return error_set(err, -EINVAL, "a host name has at most %d characters",
				 NET_NAME_MAX_CHARS);
	if (length > 0 && name[length - 1] == '.')
		length--;
	for (size_t i = 0; i <= length; i++) {
		char c = i < length ? name[i] : '.';

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == '.' && (label == 0 || label > 63))
			return error_set(err, -EINVAL,
					 label == 0 ? "a host name has no empty parts"
						    : "a part of a host name has at most 63 "
						      "characters");
		if (c != '.' && !is_name_char(c))
			return error_set(
			    err, -EINVAL,
			    "a host name holds letters, digits, \"-\", \"_\" and \".\"");
		label = c == '.' ? 0 : label + 1;
		text[i] = c;
	}
	text[length] = '\0';
	if (ends_in_number(text))
		return error_set(err, -EINVAL, "a host name does not end in a number");
	memcpy(ret_name, text, length + 1);
	return 0;
}

int
net_name_canonical(const char *name, char ret_name[NET_NAME_MAX_CHARS + 1], struct error *err)
{
	char ascii[NET_RULE_TEXT_MAX_BYTES];
	bool is_ascii = true;
	int r;

	for (const char *s = name; *s != '\0' && is_ascii; s++)
		is_ascii = (unsigned char)*s < 0x80;
	if (is_ascii)
		return canonical_ascii(name, ret_name, err);
	r = idna_to_ascii(name, ascii, sizeof(ascii), err);
	return r < 0 ? -EINVAL : canonical_ascii(ascii, ret_name, err);
}

/* "80", without sign, blanks and leading zeros, so that nobody reads it as octal. */
static int
parse_number(const char *text, uint64_t min, uint64_t max, unsigned *ret_value)
{
	uint64_t value;
	int r;

	if (text[0] == '0' && text[1] != '\0')
		return -EINVAL;
	r = str_parse_u64(text, min, max, &value);
	if (r < 0)
		return r;
	*ret_value = (unsigned)value;
	return 0;
}

static int
parse_ports(struct net_rule *rule, const char *text, struct error *err)
{
	const char *dash = strchr(text, '-');
	_cleanup_free_ char *first_text = NULL;
	unsigned first;
	unsigned last;

	if (str_equal(text, "*")) {
		rule->port_first = 1;
		rule->port_last = UINT16_MAX;
		return 0;
	}
	first_text = mem_strndup(text, dash != NULL ? (size_t)(dash - text) : strlen(text));
	if (parse_number(first_text, 1, UINT16_MAX, &first) < 0 ||
	    parse_number(dash != NULL ? dash + 1 : text, 1, UINT16_MAX, &last) < 0)
		return error_set(err, -EINVAL,
				 "\"%s\" is not a port: write a number from 1 to 65535, a range "
				 "\"8000-8999\", or \"*\"",
				 text);
	if (first > last)
		return error_set(err, -EINVAL, "\"%s\" runs backwards: write \"%u-%u\"", text, last,
				 first);
	rule->port_first = (uint16_t)first;
	rule->port_last = (uint16_t)last;
	return 0;
}

/* Clears what stands behind the prefix; says whether anything did. */
static bool
clear_host_bits(struct net_address *network, unsigned prefix_bits)
{
	unsigned bits = network->is_v6 ? 128 : 32;
	bool any = false;

	for (unsigned i = prefix_bits; i < bits; i++) {
		uint8_t bit = (uint8_t)(0x80 >> (i % 8));

		any |= (network->bytes[i / 8] & bit) != 0;
		network->bytes[i / 8] &= (uint8_t)~bit;
	}
	return any;
}

/* Refuses bits behind the prefix; a prefix of v4-mapped addresses becomes one of IPv4. */
static int
finish_network(struct net_rule *rule, const char *text, struct error *err)
{
	struct net_address unmapped;
	char shown[NET_ADDRESS_TEXT_BYTES];

	if (clear_host_bits(&rule->network, rule->prefix_bits)) {
		net_address_format(&rule->network, shown);
		return error_set(err, -EINVAL,
				 rule->network.is_v6
				     ? "\"%s\" has bits set behind its prefix: write \"[%s/%u]\""
				     : "\"%s\" has bits set behind its prefix: write \"%s/%u\"",
				 text, shown, rule->prefix_bits);
	}
	if (rule->network.is_v6 && rule->prefix_bits >= 96) {
		net_address_from_v6_bytes(rule->network.bytes, &unmapped);
		if (!unmapped.is_v6) {
			rule->network = unmapped;
			rule->prefix_bits -= 96;
		}
	}
	return 0;
}

/* "10.0.0.0/8", "10.0.0.1", or what stood in brackets. */
static int
parse_network(struct net_rule *rule, const char *text, bool is_v6, struct error *err)
{
	const char *slash = strchr(text, '/');
	_cleanup_free_ char *address =
	    mem_strndup(text, slash != NULL ? (size_t)(slash - text) : strlen(text));
	unsigned max_bits = is_v6 ? 128 : 32;

	rule->kind = NET_HOST_CIDR;
	rule->network.is_v6 = is_v6;
	rule->prefix_bits = max_bits;
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address, rule->network.bytes) != 1)
		return error_set(err, -EINVAL,
				 is_v6
				     ? "\"%s\" is not an IPv6 address: write it without a scope, "
				       "as in \"[::1]:8080\" or \"[2001:db8::/32]:443\""
				     : "\"%s\" is not an IPv4 address: write four decimal numbers "
				       "from 0 to 255, as in \"127.0.0.1:8080\"",
				 address);
	if (slash != NULL && parse_number(slash + 1, 0, max_bits, &rule->prefix_bits) < 0)
		return error_set(err, -EINVAL,
				 "\"/%s\" is not a prefix length: write a number from 0 to %u, as "
				 "in \"%s\"",
				 slash + 1, max_bits,
				 is_v6 ? "[2001:db8::/32]:443" : "10.0.0.0/8:443");
	return finish_network(rule, text, err);
}

static int
parse_name(struct net_rule *rule, const char *host, struct error *err)
{
	char name[NET_NAME_MAX_CHARS + 1];
	struct error why;
	int r;

	rule->kind = NET_HOST_NAME;
	if (str_starts_with(host, "*.")) {
		rule->kind = NET_HOST_SUFFIX;
		host += 2;
	}
	if (strchr(host, '*') != NULL)
		return error_set(err, -EINVAL,
				 "\"*\" stands alone or for the subdomains in front of a name, as "
				 "in \"*:443\" or \"*.example.com:443\"");
	r = net_name_canonical(host, name, &why);
	if (r < 0)
		return error_set(err, r,
				 "\"%s\" is not a host name: %s; write it as in "
				 "\"api.example.com:443\"",
				 host, why.message);
	rule->name = mem_strdup(name);
	return 0;
}

/* HOST, without brackets. */
static int
parse_host(struct net_rule *rule, const char *host, struct error *err)
{
	_cleanup_free_ char *address = mem_strndup(host, strcspn(host, "/"));

	if (str_equal(host, "*")) {
		rule->kind = NET_HOST_ANY;
		return 0;
	}
	if (*host == '\0')
		return error_set(err, -EINVAL, "the host is missing: " RIGHT_FORM);
	if (ends_in_number(address))
		return parse_network(rule, host, false, err);
	if (host[strlen(address)] == '/')
		return error_set(
		    err, -EINVAL,
		    "\"%s\" has a path; a rule is about a host and a port: " RIGHT_FORM, host);
	return parse_name(rule, host, err);
}

/* "[::1]:80", "[2001:db8::/32]:443". */
static int
parse_bracketed(struct net_rule *rule, const char *text, struct error *err)
{
	const char *close = strchr(text, ']');
	_cleanup_free_ char *inside = NULL;
	int r;

	if (close == NULL || close[1] != ':')
		return error_set(
		    err, -EINVAL,
		    "an IPv6 address stands in brackets with its prefix length, the "
		    "port behind them, as in \"[::1]:8080\" or \"[2001:db8::/32]:443\"");
	inside = mem_strndup(text + 1, (size_t)(close - text - 1));
	if (strchr(inside, ':') == NULL)
		return error_set(err, -EINVAL,
				 "only an IPv6 address stands in brackets: write \"%s:%s\"", inside,
				 close + 2);
	r = parse_network(rule, inside, true, err);
	return r < 0 ? r : parse_ports(rule, close + 2, err);
}

/* The sentence for an IPv6 address without brackets, or for no address at all. */
static int
refuse_colons(const char *text, struct error *err)
{
	const char *last = strrchr(text, ':');
	_cleanup_free_ char *front = mem_strndup(text, (size_t)(last - text));
	_cleanup_free_ char *front_address = mem_strndup(front, strcspn(front, "/"));
	struct net_address address;

	if (net_address_parse(front_address, &address) == 0)
		return error_set(err, -EINVAL,
				 "an IPv6 address stands in brackets: write \"[%s]:%s\"", front,
				 last + 1);
	if (net_address_parse(text, &address) == 0)
		return error_set(err, -EINVAL,
				 "an IPv6 address stands in brackets and a port follows: write "
				 "\"[%s]:443\" or \"[%s]:*\"",
				 text, text);
	return error_set(err, -EINVAL,
			 "too many colons: " RIGHT_FORM ", and an IPv6 address in brackets, "
			 "\"[::1]:8080\"");
}

static int
parse_rule(struct net_rule *rule, const char *text, struct error *err)
{
	const char *colon = strrchr(text, ':');
	const char *scheme = strstr(text, "://");
	_cleanup_free_ char *host = NULL;
	int r;

	if (scheme != NULL)
		return error_set(err, -EINVAL,
				 "a rule has no scheme like \"%.*s\": write \"%.*s:443\" for its "
				 "host and port",
				 (int)(scheme + 3 - text), text, (int)strcspn(scheme + 3, ":/?#"),
				 scheme + 3);
	if (text[0] == '[')
		return parse_bracketed(rule, text, err);
	if (colon == NULL)
		return error_set(
		    err, -EINVAL,
		    "the port is missing: write \"%s:443\" or, for every port, \"%s:*\"", text,
		    text);
	if (strchr(text, ':') != colon)
		return refuse_colons(text, err);
	host = mem_strndup(text, (size_t)(colon - text));
	r = parse_host(rule, host, err);
	return r < 0 ? r : parse_ports(rule, colon + 1, err);
}

static void
rule_done(struct net_rule *rule)
{
	free(rule->name);
	free(rule->text);
}

int
net_rules_add(struct net_rules *rules, const char *text, struct error *err)
{
	struct net_rule rule = { .kind = NET_HOST_ANY };
	int r;

	if (rules->count >= NET_RULES_MAX)
		return error_set(err, -E2BIG, "at most %d rules", NET_RULES_MAX);
	if (*text == '\0')
		return error_set(err, -EINVAL, "the rule is empty: " RIGHT_FORM);
	if (strlen(text) > NET_RULE_TEXT_MAX_BYTES)
		return error_set(err, -EINVAL, "a rule has at most %d bytes: " RIGHT_FORM,
				 NET_RULE_TEXT_MAX_BYTES);
	r = parse_rule(&rule, text, err);
	if (r < 0) {
		rule_done(&rule);
		return r;
	}
	rule.text = mem_strdup(text);
	MEM_GROW(rules->items, rules->capacity, rules->count);
	rules->items[rules->count++] = rule;
	return 0;
}

void
net_rules_done(struct net_rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++)
		rule_done(&rules->items[i]);
	free(rules->items);
	*rules = (struct net_rules){ 0 };
}

bool
net_rule_matches_port(const struct net_rule *rule, uint16_t port)
{
	return port >= rule->port_first && port <= rule->port_last;
}

bool
net_rule_matches_address(const struct net_rule *rule, const struct net_address *address)
{
	return rule->kind == NET_HOST_CIDR &&
	       net_address_share_prefix(&rule->network, address, rule->prefix_bits);
}

bool
net_rule_names_this_machine(const struct net_rule *rule)
{
	return rule->kind == NET_HOST_CIDR &&
	       rule->prefix_bits == (rule->network.is_v6 ? 128U : 32U) &&
	       net_address_is_wildcard(&rule->network);
}

bool
net_rule_matches_name(const struct net_rule *rule, const char *canonical_name)
{
	size_t length = strlen(canonical_name);
	size_t suffix;

	if (rule->kind != NET_HOST_NAME && rule->kind != NET_HOST_SUFFIX)
		return false;
	if (str_equal(canonical_name, rule->name))
		return true;
	suffix = strlen(rule->name);
	return rule->kind == NET_HOST_SUFFIX && length > suffix &&
	       canonical_name[length - suffix - 1] == '.' &&
	       str_ends_with(canonical_name, rule->name);
}
