/* policy/net_rule: what a rule may look like, what it matches, and where addresses lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "policy/net_rule.h"
#include "util/macros.h"
#include "util/mem.h"

/* Valid rules: the canonical host ("name", "network/bits" or "*") and ports that come out. */
static const struct {
	const char *text;
	enum net_host_kind kind;
	const char *host;
	uint16_t first;
	uint16_t last;
} valid_rules[] = {
	{ "*:443", NET_HOST_ANY, "*", 443, 443 },
	{ "*:*", NET_HOST_ANY, "*", 1, 65535 },
	{ "*:1-65535", NET_HOST_ANY, "*", 1, 65535 },
	{ "*:1", NET_HOST_ANY, "*", 1, 1 },
	{ "*:65535", NET_HOST_ANY, "*", 65535, 65535 },
	{ "*:80-80", NET_HOST_ANY, "*", 80, 80 },
	{ "*:8000-8999", NET_HOST_ANY, "*", 8000, 8999 },
	{ "api.example.com:443", NET_HOST_NAME, "api.example.com", 443, 443 },
	{ "API.Example.COM:443", NET_HOST_NAME, "api.example.com", 443, 443 },
	{ "api.example.com.:443", NET_HOST_NAME, "api.example.com", 443, 443 },
	{ "db:5432", NET_HOST_NAME, "db", 5432, 5432 },
	{ "localhost:3000", NET_HOST_NAME, "localhost", 3000, 3000 },
	{ "_dmarc.example.com:53", NET_HOST_NAME, "_dmarc.example.com", 53, 53 },
	{ "my_host:80", NET_HOST_NAME, "my_host", 80, 80 },
	{ "r3---sn-abc.example.com:443", NET_HOST_NAME, "r3---sn-abc.example.com", 443, 443 },
	{ "1.example:80", NET_HOST_NAME, "1.example", 80, 80 },
	{ "4chan:80", NET_HOST_NAME, "4chan", 80, 80 },
	{ "0xdead.example:80", NET_HOST_NAME, "0xdead.example", 80, 80 },
	{ "127.0.0.1.example.com:80", NET_HOST_NAME, "127.0.0.1.example.com", 80, 80 },
	{ "b\xc3\xbc"
	  "cher.example:443",
	  NET_HOST_NAME, "xn--bcher-kva.example", 443, 443 },
	{ "B\xc3\x9c"
	  "CHER.example:443",
	  NET_HOST_NAME, "xn--bcher-kva.example", 443, 443 },
	{ "XN--BCHER-KVA.example:443", NET_HOST_NAME, "xn--bcher-kva.example", 443, 443 },
	{ "fa\xc3\x9f.example:443", NET_HOST_NAME, "xn--fa-hia.example", 443, 443 },
	{ "example\xe3\x80\x82"
	  "com:443",
	  NET_HOST_NAME, "example.com", 443, 443 },
	{ "\xef\xbd\x85xample.com:443", NET_HOST_NAME, "example.com", 443, 443 },
	{ "*.example.com:443", NET_HOST_SUFFIX, "example.com", 443, 443 },
	{ "*.Example.com.:*", NET_HOST_SUFFIX, "example.com", 1, 65535 },
	{ "*.com:80", NET_HOST_SUFFIX, "com", 80, 80 },
	{ "*.localhost:80", NET_HOST_SUFFIX, "localhost", 80, 80 },
	{ "*.b\xc3\xbc"
	  "cher.example:443",
	  NET_HOST_SUFFIX, "xn--bcher-kva.example", 443, 443 },
	{ "127.0.0.1:80", NET_HOST_CIDR, "127.0.0.1/32", 80, 80 },
	{ "0.0.0.0:80", NET_HOST_CIDR, "0.0.0.0/32", 80, 80 },
	{ "255.255.255.255:80", NET_HOST_CIDR, "255.255.255.255/32", 80, 80 },
	{ "0.0.0.0/0:*", NET_HOST_CIDR, "0.0.0.0/0", 1, 65535 },
	{ "10.0.0.0/8:*", NET_HOST_CIDR, "10.0.0.0/8", 1, 65535 },
	{ "192.0.2.128/25:443", NET_HOST_CIDR, "192.0.2.128/25", 443, 443 },
	{ "192.0.2.1/32:443", NET_HOST_CIDR, "192.0.2.1/32", 443, 443 },
	{ "192.0.2.2/31:443", NET_HOST_CIDR, "192.0.2.2/31", 443, 443 },
	{ "[::1]:8080", NET_HOST_CIDR, "::1/128", 8080, 8080 },
	{ "[::1]:*", NET_HOST_CIDR, "::1/128", 1, 65535 },
	{ "[::]:80", NET_HOST_CIDR, "::/128", 80, 80 },
	{ "[::/0]:443", NET_HOST_CIDR, "::/0", 443, 443 },
	{ "[2001:db8::/32]:443", NET_HOST_CIDR, "2001:db8::/32", 443, 443 },
	{ "[2001:DB8:0:0::1]:443", NET_HOST_CIDR, "2001:db8::1/128", 443, 443 },
	{ "[fe80::/10]:1-2", NET_HOST_CIDR, "fe80::/10", 1, 2 },
	{ "[2001:db8:0:8000::/49]:443", NET_HOST_CIDR, "2001:db8:0:8000::/49", 443, 443 },
	{ "[::ffff:192.0.2.1]:80", NET_HOST_CIDR, "192.0.2.1/32", 80, 80 },
	{ "[::ffff:c000:201]:80", NET_HOST_CIDR, "192.0.2.1/32", 80, 80 },
	{ "[::ffff:10.0.0.0/104]:80", NET_HOST_CIDR, "10.0.0.0/8", 80, 80 },
	{ "[::ffff:0:0/96]:80", NET_HOST_CIDR, "0.0.0.0/0", 80, 80 },
	{ "[64:ff9b::192.0.2.1]:80", NET_HOST_CIDR, "64:ff9b::c000:201/128", 80, 80 },
};

static char *
rule_host_text(const struct net_rule *rule)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	if (rule->kind == NET_HOST_ANY)
		return mem_strdup("*");
	if (rule->kind != NET_HOST_CIDR)
		return mem_strdup(rule->name);
	net_address_format(&rule->network, text);
	return mem_printf("%s/%u", text, rule->prefix_bits);
}

static void
test_valid_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(valid_rules); i++) {
		struct net_rules rules = { 0 };
		struct error err = ERROR_INIT;
		_cleanup_free_ char *host = NULL;

		if (net_rules_add(&rules, valid_rules[i].text, &err) < 0)
			fail_msg("%s: %s", valid_rules[i].text, err.message);
		host = rule_host_text(&rules.items[0]);
		if (rules.items[0].kind != valid_rules[i].kind ||
		    strcmp(host, valid_rules[i].host) ||
		    rules.items[0].port_first != valid_rules[i].first ||
		    rules.items[0].port_last != valid_rules[i].last)
			fail_msg("%s became kind %d, %s, %u-%u", valid_rules[i].text,
				 (int)rules.items[0].kind, host, rules.items[0].port_first,
				 rules.items[0].port_last);
		assert_string_equal(rules.items[0].text, valid_rules[i].text);
		net_rules_done(&rules);
		assert_null(rules.items);
	}
}

/* What is refused, and what of the right form the sentence shows. */
static const struct {
	const char *text;
	const char *shows;
} invalid_rules[] = {
	{ "", "HOST:PORT" },
	{ ":", "host is missing" },
	{ ":443", "host is missing" },
	{ "example.com", "\"example.com:443\"" },
	{ "example.com", "\"example.com:*\"" },
	{ "192.0.2.1", "\"192.0.2.1:443\"" },
	{ "*", "\"*:443\"" },
	{ "*:", "1 to 65535" },
	{ "*:0", "1 to 65535" },
	{ "*:00", "1 to 65535" },
	{ "*:65536", "1 to 65535" },
	{ "*:99999999999999999999", "1 to 65535" },
	{ "*:-1", "1 to 65535" },
	{ "*:+80", "1 to 65535" },
	{ "*: 80", "1 to 65535" },
	{ "*:80 ", "1 to 65535" },
	{ "*:080", "1 to 65535" },
	{ "*:0x50", "1 to 65535" },
	{ "*:http", "1 to 65535" },
	{ "*:80-", "8000-8999" },
	{ "*:-80", "8000-8999" },
	{ "*:-", "8000-8999" },
	{ "*:80-70", "\"70-80\"" },
	{ "*:80-90-100", "8000-8999" },
	{ "*:80--90", "8000-8999" },
	{ "*:80-65536", "8000-8999" },
	{ "*:0-80", "8000-8999" },
	{ "*:*-80", "8000-8999" },
	{ "*:80-*", "8000-8999" },
	{ "*:80,443", "8000-8999" },
	{ "*:**", "8000-8999" },
	{ "*.:443", "empty parts" },
	{ "*..example.com:443", "empty parts" },
	{ ".example.com:443", "empty parts" },
	{ "example..com:443", "empty parts" },
	{ "example.com..:443", "empty parts" },
	{ ".:443", "empty parts" },
	{ "a*.example.com:443", "\"*.example.com:443\"" },
	{ "*a.example.com:443", "\"*.example.com:443\"" },
	{ "*example.com:443", "\"*.example.com:443\"" },
	{ "**.example.com:443", "\"*.example.com:443\"" },
	{ "*.*.example.com:443", "\"*.example.com:443\"" },
	{ "api.*.com:443", "\"*.example.com:443\"" },
	{ "api.*:443", "\"*.example.com:443\"" },
	{ "exa mple.com:443", "letters, digits" },
	{ " example.com:443", "letters, digits" },
	{ "exam\tple.com:443", "letters, digits" },
	{ "exam\x7fple.com:443", "letters, digits" },
	{ "exa%6dple.com:443", "letters, digits" },
	{ "user@example.com:443", "letters, digits" },
	{ "example.com,example.org:443", "letters, digits" },
	{ "exa\xff"
	  "mple.com:443",
	  "IDNA2008" },
	{ "\xe2\x98\x83\xe2\x80\x8d.example:443", "host name" },
	{ "example\xef\xbc\x8e"
	  "com\xef\xbc\x8f:443",
	  "host name" },
	{ "https://example.com", "\"example.com:443\"" },
	{ "https://example.com:8443/x", "\"example.com:443\"" },
	{ "http://[::1]:80/", "no scheme" },
	{ "example.com/path:443", "HOST:PORT" },
	{ "example.com/24:443", "HOST:PORT" },
	{ "example.com:443/path", "1 to 65535" },
	{ "127.1:80", "four decimal numbers" },
	{ "127.0.1:80", "four decimal numbers" },
	{ "2130706433:80", "four decimal numbers" },
	{ "017700000001:80", "four decimal numbers" },
	{ "0x7f000001:80", "four decimal numbers" },
	{ "0x7f.0.0.1:80", "four decimal numbers" },
	{ "127.0.0.0x1:80", "four decimal numbers" },
	{ "127.0.0.0X1:80", "four decimal numbers" },
	{ "0177.0.0.1:80", "four decimal numbers" },
	{ "127.0.0.01:80", "four decimal numbers" },
	{ "127.000.0.1:80", "four decimal numbers" },
	{ "127.0.0.256:80", "four decimal numbers" },
	{ "1.2.3.4.5:80", "four decimal numbers" },
	{ "127.0.0.1.:80", "host name" },
	{ "*.0.0.1:80", "four decimal numbers" },
	{ "*.1:80", "four decimal numbers" },
	{ "example.1:80", "four decimal numbers" },
	{ "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:80", "four decimal numbers" },
	{ "127.0.0.\xef\xbc\x91:80", "number" },
	{ "10.0.0.1/8:443", "\"10.0.0.0/8\"" },
	{ "192.0.2.1/24:443", "\"192.0.2.0/24\"" },
	{ "192.0.2.1/31:443", "\"192.0.2.0/31\"" },
	{ "127.0.0.1/0:443", "\"0.0.0.0/0\"" },
	{ "10.0.0.0/33:443", "0 to 32" },
	{ "10.0.0.0/:443", "0 to 32" },
	{ "10.0.0.0/08:443", "0 to 32" },
	{ "10.0.0.0/-1:443", "0 to 32" },
	{ "10.0.0.0/8/8:443", "0 to 32" },
	{ "10.0.0.0/255.0.0.0:443", "0 to 32" },
	{ "10/8:443", "four decimal numbers" },
	{ "::1:80", "\"[::1]:80\"" },
	{ "::1", "\"[::1]:443\"" },
	{ "2001:db8::1:443", "\"[2001:db8::1]:443\"" },
	{ "2001:db8:0:0:0:0:0:1", "\"[2001:db8:0:0:0:0:0:1]:443\"" },
	{ "2001:db8::/32:443", "\"[2001:db8::/32]:443\"" },
	{ "::ffff:127.0.0.1:80", "\"[::ffff:127.0.0.1]:80\"" },
	{ "a:b:80", "\"[::1]:8080\"" },
	{ "example.com:80:90", "HOST:PORT" },
	{ "192.0.2.1:80:90", "HOST:PORT" },
	{ "[::1]", "\"[::1]:8080\"" },
	{ "[::1", "\"[::1]:8080\"" },
	{ "[::1:80", "\"[::1]:8080\"" },
	{ "[]:80", "stands in brackets" },
	{ "[::1]80", "\"[::1]:8080\"" },
	{ "[::1]/128:80", "\"[2001:db8::/32]:443\"" },
	{ "[::1]:", "1 to 65535" },
	{ "[::1]:0", "1 to 65535" },
	{ "[::1]:80:90", "1 to 65535" },
	{ "[::1%lo]:80", "without a scope" },
	{ "[fe80::1%eth0]:80", "without a scope" },
	{ "[fe80::1%25eth0]:80", "without a scope" },
	{ "[:::1]:80", "IPv6 address" },
	{ "[1::2::3]:80", "IPv6 address" },
	{ "[12345::]:80", "IPv6 address" },
	{ "[1:2:3:4:5:6:7]:80", "IPv6 address" },
	{ "[::127.0.0.01]:80", "IPv6 address" },
	{ "[2001:db8::1/32]:443", "\"[2001:db8::/32]\"" },
	{ "[2001:db8::/129]:443", "0 to 128" },
	{ "[2001:db8::/]:443", "0 to 128" },
	{ "[::ffff:10.0.0.1/104]:80", "bits set" },
	{ "[::ffff:0:0/95]:80", "bits set" },
	{ "[127.0.0.1]:80", "\"127.0.0.1:80\"" },
	{ "[example.com]:80", "\"example.com:80\"" },
	{ "[*]:80", "\"*:80\"" },
	{ "x[::1]:80", "HOST:PORT" },
};

static void
test_invalid_rules_are_refused_with_the_right_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid_rules); i++) {
		struct net_rules rules = { 0 };
		struct error err = ERROR_INIT;
		int r = net_rules_add(&rules, invalid_rules[i].text, &err);

		if (r != -EINVAL || strstr(err.message, invalid_rules[i].shows) == NULL)
			fail_msg("%s: %d, %s", invalid_rules[i].text, r, err.message);
		assert_int_equal(rules.count, 0);
		net_rules_done(&rules);
	}
}

static void
test_lengths_have_limits(void **state)
{
	struct net_rules rules = { 0 };
	struct error err = ERROR_INIT;
	char label[65];
	char name[NET_NAME_MAX_CHARS + 1];
	_cleanup_free_ char *longest = NULL;
	_cleanup_free_ char *too_long = NULL;
	_cleanup_free_ char *huge = mem_zalloc(NET_RULE_TEXT_MAX_BYTES + 2, 1);

	(void)state;
	memset(label, 'a', 63);
	label[63] = '\0';
	/* 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253 */
	longest = mem_printf("%s.%s.%s.%.61s", label, label, label, label);
	assert_int_equal(strlen(longest), NET_NAME_MAX_CHARS);
	assert_int_equal(net_name_canonical(longest, name, &err), 0);
	assert_string_equal(name, longest);
	too_long = mem_printf("%s.", longest);
	assert_int_equal(net_name_canonical(too_long, name, &err), 0);
	assert_string_equal(name, longest);
	free(too_long);
	too_long = mem_printf("%sa", longest);
	assert_int_equal(net_name_canonical(too_long, name, &err), -EINVAL);
	label[63] = 'a';
	label[64] = '\0';
	assert_int_equal(net_name_canonical(label, name, &err), -EINVAL);
	assert_non_null(strstr(err.message, "63"));
	memset(huge, 'a', NET_RULE_TEXT_MAX_BYTES + 1);
	assert_int_equal(net_rules_add(&rules, huge, &err), -EINVAL);
	memset(huge, '\xc3', NET_RULE_TEXT_MAX_BYTES + 1);
	assert_int_equal(net_name_canonical(huge, name, &err), -EINVAL);
	net_rules_done(&rules);
}

static void
test_a_list_has_a_limit(void **state)
{
	struct net_rules rules = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < NET_RULES_MAX; i++)
		assert_int_equal(net_rules_add(&rules, "*:443", &err), 0);
	assert_int_equal(net_rules_add(&rules, "*:443", &err), -E2BIG);
	assert_int_equal(rules.count, NET_RULES_MAX);
	net_rules_done(&rules);
}

/* Whether a rule's host matches a name, or an address. */
static const struct {
	const char *rule;
	const char *peer;
	bool matches;
} matches[] = {
	{ "example.com:1", "example.com", true },
	{ "example.com:1", "www.example.com", false },
	{ "example.com:1", "xexample.com", false },
	{ "example.com:1", "com", false },
	{ "example.com:1", "example.com.evil.example", false },
	{ "*.example.com:1", "example.com", true },
	{ "*.example.com:1", "www.example.com", true },
	{ "*.example.com:1", "a.b.c.example.com", true },
	{ "*.example.com:1", "xexample.com", false },
	{ "*.example.com:1", "com", false },
	{ "*.example.com:1", "example.com.evil.example", false },
	{ "*.example.com:1", "example.org", false },
	{ "*.example.com:1", "", false },
	{ "*.com:1", "example.com", true },
	{ "*.Example.COM.:1", "www.example.com", true },
	{ "B\xc3\x9c"
	  "CHER.example:1",
	  "xn--bcher-kva.example", true },
	{ "*:1", "example.com", false },
	{ "*:1", "192.0.2.1", false },
	{ "192.0.2.1:1", "192.0.2.1", true },
	{ "192.0.2.1:1", "192.0.2.2", false },
	{ "192.0.2.1:1", "::ffff:192.0.2.1", true },
	{ "192.0.2.1:1", "::ffff:c000:201", true },
	{ "192.0.2.1:1", "::192.0.2.1", false },
	{ "192.0.2.1:1", "64:ff9b::192.0.2.1", false },
	{ "[::ffff:192.0.2.1]:1", "192.0.2.1", true },
	{ "10.0.0.0/8:1", "10.255.255.255", true },
	{ "10.0.0.0/8:1", "11.0.0.0", false },
	{ "10.0.0.0/8:1", "9.255.255.255", false },
	{ "192.0.2.128/25:1", "192.0.2.127", false },
	{ "192.0.2.128/25:1", "192.0.2.128", true },
	{ "192.0.2.0/31:1", "192.0.2.1", true },
	{ "192.0.2.0/31:1", "192.0.2.2", false },
	{ "0.0.0.0/0:1", "203.0.113.9", true },
	{ "0.0.0.0/0:1", "2001:db8::1", false },
	{ "0.0.0.0/1:1", "127.0.0.1", true },
	{ "0.0.0.0/1:1", "128.0.0.1", false },
	{ "[::/0]:1", "2001:db8::1", true },
	{ "[::/0]:1", "192.0.2.1", false },
	{ "[::/0]:1", "::ffff:192.0.2.1", false },
	{ "[2001:db8::/32]:1", "2001:db8:ffff:ffff::1", true },
	{ "[2001:db8::/32]:1", "2001:db9::", false },
	{ "[2001:db8::/127]:1", "2001:db8::1", true },
	{ "[2001:db8::/127]:1", "2001:db8::2", false },
	{ "[fe80::/10]:1", "febf::1", true },
	{ "[fe80::/10]:1", "fec0::1", false },
	{ "example.com:1", "192.0.2.1", false },
};

static void
test_what_a_host_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		struct net_rules rules = { 0 };
		struct net_address address;
		struct error err = ERROR_INIT;
		bool is_match;

		assert_int_equal(net_rules_add(&rules, matches[i].rule, &err), 0);
		if (net_address_parse(matches[i].peer, &address) == 0)
			is_match = net_rule_matches_address(&rules.items[0], &address);
		else
			is_match = net_rule_matches_name(&rules.items[0], matches[i].peer);
		if (is_match != matches[i].matches)
			fail_msg("%s and %s: %d", matches[i].rule, matches[i].peer, is_match);
		net_rules_done(&rules);
	}
}

static void
test_what_ports_match(void **state)
{
	struct net_rules rules = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(net_rules_add(&rules, "*:80-90", &err), 0);
	assert_int_equal(net_rules_add(&rules, "*:*", &err), 0);
	assert_false(net_rule_matches_port(&rules.items[0], 79));
	assert_true(net_rule_matches_port(&rules.items[0], 80));
	assert_true(net_rule_matches_port(&rules.items[0], 90));
	assert_false(net_rule_matches_port(&rules.items[0], 91));
	assert_true(net_rule_matches_port(&rules.items[1], 1));
	assert_true(net_rule_matches_port(&rules.items[1], 65535));
	assert_false(net_rule_matches_port(&rules.items[1], 0));
	net_rules_done(&rules);
}

/* net_address_parse: NULL is a refusal; the text comes back in RFC 5952 form. */
static const struct {
	const char *text;
	const char *formatted;
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "2001:DB8::1", "2001:db8::1" },
	{ "2001:db8:0:0:0:0:0:1", "2001:db8::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "0:0:0:0:0:ffff:127.0.0.1", "127.0.0.1" },
	{ "::ffff:7f00:1", "127.0.0.1" },
	{ "::FFFF:7f00:1", "127.0.0.1" },
	{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
	{ "", NULL },
	{ "1", NULL },
	{ "127.1", NULL },
	{ "2130706433", NULL },
	{ "0x7f.0.0.1", NULL },
	{ "0177.0.0.1", NULL },
	{ "127.0.0.01", NULL },
	{ "00.0.0.0", NULL },
	{ "127.0.0.1.", NULL },
	{ " 127.0.0.1", NULL },
	{ "127.0.0.1 ", NULL },
	{ "127.0.0.1/32", NULL },
	{ "[::1]", NULL },
	{ "::1%lo", NULL },
	{ "fe80::1%2", NULL },
	{ "localhost", NULL },
	{ ":::", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "1:2:3:4:5:6:7::8:9", NULL },
	{ "::ffff:127.0.0.1.1", NULL },
};

static void
test_addresses_as_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		char text[NET_ADDRESS_TEXT_BYTES] = "";
		struct net_address address;
		int r = net_address_parse(addresses[i].text, &address);

		if (r == 0)
			net_address_format(&address, text);
		if ((r == 0) != (addresses[i].formatted != NULL) ||
		    (r == 0 && strcmp(text, addresses[i].formatted) != 0))
			fail_msg("\"%s\": %d %s", addresses[i].text, r, text);
	}
}

static void
test_the_longest_address_fits(void **state)
{
	struct net_address address;
	char text[NET_ADDRESS_TEXT_BYTES];

	(void)state;
	assert_int_equal(
	    net_address_parse("1111:2222:3333:4444:5555:6666:177.177.177.177", &address), 0);
	net_address_format(&address, text);
	assert_string_equal(text, "1111:2222:3333:4444:5555:6666:b1b1:b1b1");
}

static const struct {
	const char *text;
	enum net_address_class class;
} classes[] = {
	{ "127.0.0.1", NET_ADDRESS_LOOPBACK },
	{ "127.255.255.255", NET_ADDRESS_LOOPBACK },
	{ "126.255.255.255", NET_ADDRESS_PUBLIC },
	{ "128.0.0.0", NET_ADDRESS_PUBLIC },
	{ "0.0.0.0", NET_ADDRESS_LOOPBACK },
	{ "0.0.0.1", NET_ADDRESS_PRIVATE },
	{ "0.255.255.255", NET_ADDRESS_PRIVATE },
	{ "1.0.0.0", NET_ADDRESS_PUBLIC },
	{ "::1", NET_ADDRESS_LOOPBACK },
	{ "::", NET_ADDRESS_LOOPBACK },
	{ "::ffff:127.0.0.1", NET_ADDRESS_LOOPBACK },
	{ "::ffff:0.0.0.0", NET_ADDRESS_LOOPBACK },
	{ "169.254.0.1", NET_ADDRESS_LINK_LOCAL },
	{ "169.254.255.255", NET_ADDRESS_LINK_LOCAL },
	{ "169.253.255.255", NET_ADDRESS_PUBLIC },
	{ "169.255.0.0", NET_ADDRESS_PUBLIC },
	{ "169.254.169.253", NET_ADDRESS_LINK_LOCAL },
	{ "fe80::1", NET_ADDRESS_LINK_LOCAL },
	{ "febf::1", NET_ADDRESS_LINK_LOCAL },
	{ "fe7f::1", NET_ADDRESS_PUBLIC },
	{ "169.254.169.254", NET_ADDRESS_METADATA },
	{ "169.254.170.2", NET_ADDRESS_METADATA },
	{ "169.254.170.23", NET_ADDRESS_METADATA },
	{ "169.254.0.23", NET_ADDRESS_METADATA },
	{ "169.254.42.42", NET_ADDRESS_METADATA },
	{ "100.100.100.200", NET_ADDRESS_METADATA },
	{ "100.100.100.201", NET_ADDRESS_PRIVATE },
	{ "168.63.129.16", NET_ADDRESS_METADATA },
	{ "192.0.0.192", NET_ADDRESS_METADATA },
	{ "fd00:ec2::254", NET_ADDRESS_METADATA },
	{ "fd00:ec2::23", NET_ADDRESS_METADATA },
	{ "fd00:ec2::253", NET_ADDRESS_PRIVATE },
	{ "fd20:ce::254", NET_ADDRESS_METADATA },
	{ "fd00:c1::a9fe:a9fe", NET_ADDRESS_METADATA },
	{ "fd00:42::42", NET_ADDRESS_METADATA },
	{ "fe80::a9fe:a9fe", NET_ADDRESS_METADATA },
	{ "::ffff:169.254.169.254", NET_ADDRESS_METADATA },
	{ "10.0.0.0", NET_ADDRESS_PRIVATE },
	{ "10.255.255.255", NET_ADDRESS_PRIVATE },
	{ "11.0.0.0", NET_ADDRESS_PUBLIC },
	{ "172.15.255.255", NET_ADDRESS_PUBLIC },
	{ "172.16.0.0", NET_ADDRESS_PRIVATE },
	{ "172.31.255.255", NET_ADDRESS_PRIVATE },
	{ "172.32.0.0", NET_ADDRESS_PUBLIC },
	{ "192.168.0.0", NET_ADDRESS_PRIVATE },
	{ "192.169.0.0", NET_ADDRESS_PUBLIC },
	{ "100.63.255.255", NET_ADDRESS_PUBLIC },
	{ "100.64.0.0", NET_ADDRESS_PRIVATE },
	{ "100.127.255.255", NET_ADDRESS_PRIVATE },
	{ "100.128.0.0", NET_ADDRESS_PUBLIC },
	{ "192.0.0.1", NET_ADDRESS_PRIVATE },
	{ "192.0.1.1", NET_ADDRESS_PUBLIC },
	{ "198.17.255.255", NET_ADDRESS_PUBLIC },
	{ "198.18.0.0", NET_ADDRESS_PRIVATE },
	{ "198.19.255.255", NET_ADDRESS_PRIVATE },
	{ "198.20.0.0", NET_ADDRESS_PUBLIC },
	{ "240.0.0.1", NET_ADDRESS_PRIVATE },
	{ "255.255.255.254", NET_ADDRESS_PRIVATE },
	{ "223.255.255.255", NET_ADDRESS_PUBLIC },
	{ "224.0.0.1", NET_ADDRESS_MULTICAST },
	{ "239.255.255.255", NET_ADDRESS_MULTICAST },
	{ "255.255.255.255", NET_ADDRESS_MULTICAST },
	{ "fc00::1", NET_ADDRESS_PRIVATE },
	{ "fdff::1", NET_ADDRESS_PRIVATE },
	{ "fbff::1", NET_ADDRESS_PUBLIC },
	{ "fec0::1", NET_ADDRESS_PRIVATE },
	{ "ff02::1", NET_ADDRESS_MULTICAST },
	{ "100::1", NET_ADDRESS_PRIVATE },
	{ "100:0:0:1::1", NET_ADDRESS_PUBLIC },
	{ "2001:2::1", NET_ADDRESS_PRIVATE },
	{ "2001:10::1", NET_ADDRESS_PRIVATE },
	{ "2001:2f::1", NET_ADDRESS_PRIVATE },
	{ "5f00::1", NET_ADDRESS_PRIVATE },
	/* the documentation ranges */
	{ "192.0.2.1", NET_ADDRESS_PUBLIC },
	{ "198.51.100.1", NET_ADDRESS_PUBLIC },
	{ "203.0.113.1", NET_ADDRESS_PUBLIC },
	{ "2001:db8::1", NET_ADDRESS_PUBLIC },
	/* what carries an IPv4 address */
	{ "64:ff9b::127.0.0.1", NET_ADDRESS_LOOPBACK },
	{ "64:ff9b::10.0.0.1", NET_ADDRESS_PRIVATE },
	{ "64:ff9b::169.254.169.254", NET_ADDRESS_METADATA },
	{ "64:ff9b::169.254.0.1", NET_ADDRESS_LINK_LOCAL },
	{ "64:ff9b::0.0.0.0", NET_ADDRESS_LOOPBACK },
	{ "64:ff9b::192.0.2.1", NET_ADDRESS_PUBLIC },
	{ "64:ff9b:1::192.0.2.1", NET_ADDRESS_PRIVATE },
	{ "64:ff9b:1::169.254.169.254", NET_ADDRESS_METADATA },
	{ "64:ff9b:2::127.0.0.1", NET_ADDRESS_PUBLIC },
	{ "2002:7f00:1::", NET_ADDRESS_LOOPBACK },
	{ "2002:0a00:1::1", NET_ADDRESS_PRIVATE },
	{ "2002:a9fe:a9fe::1", NET_ADDRESS_METADATA },
	{ "2002:c000:201::1", NET_ADDRESS_PUBLIC },
	/* Teredo: 127.0.0.1, 10.0.0.1 and 192.0.2.1, all bits turned */
	{ "2001:0:c633:6401:0:0:80ff:fffe", NET_ADDRESS_LOOPBACK },
	{ "2001:0:c633:6401:0:0:f5ff:fffe", NET_ADDRESS_PRIVATE },
	{ "2001:0:c633:6401:0:0:3fff:fdfe", NET_ADDRESS_PUBLIC },
	{ "::127.0.0.1", NET_ADDRESS_LOOPBACK },
	{ "::10.0.0.1", NET_ADDRESS_PRIVATE },
	{ "::192.0.2.1", NET_ADDRESS_PUBLIC },
	{ "::2", NET_ADDRESS_PRIVATE },
	{ "::ffff:0:127.0.0.1", NET_ADDRESS_LOOPBACK },
	{ "::ffff:0:192.0.2.1", NET_ADDRESS_PUBLIC },
};

static void
test_where_addresses_lead(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		struct net_address address;

		assert_int_equal(net_address_parse(classes[i].text, &address), 0);
		if (net_address_classify(&address) != classes[i].class)
			fail_msg("%s: %d", classes[i].text, (int)net_address_classify(&address));
	}
}

static void
test_only_this_machine_is_loopback(void **state)
{
	static const struct {
		const char *text;
		bool is_loopback;
	} cases[] = {
		{ "127.0.0.1", true },
		{ "127.9.9.9", true },
		{ "0.0.0.0", true },
		{ "::1", true },
		{ "::", true },
		{ "::ffff:127.0.0.1", true },
		{ "::127.0.0.1", false },
		{ "2002:7f00:1::", false },
		{ "64:ff9b::7f00:1", false },
		{ "192.0.2.1", false },
		{ "0.0.0.1", false },
		{ "::2", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_address address;

		assert_int_equal(net_address_parse(cases[i].text, &address), 0);
		if (net_address_is_loopback(&address) != cases[i].is_loopback)
			fail_msg("%s", cases[i].text);
	}
}

static void
test_mapped_bytes_become_v4(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	static const uint8_t v4[4] = { 192, 0, 2, 1 };
	struct net_address a;
	struct net_address b;

	(void)state;
	net_address_from_v6_bytes(mapped, &a);
	net_address_from_v4_bytes(v4, &b);
	assert_false(a.is_v6);
	assert_true(net_address_equal(&a, &b));
	b.bytes[3] = 2;
	assert_false(net_address_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_rules),
		cmocka_unit_test(test_invalid_rules_are_refused_with_the_right_form),
		cmocka_unit_test(test_lengths_have_limits),
		cmocka_unit_test(test_a_list_has_a_limit),
		cmocka_unit_test(test_what_a_host_matches),
		cmocka_unit_test(test_what_ports_match),
		cmocka_unit_test(test_addresses_as_text),
		cmocka_unit_test(test_the_longest_address_fits),
		cmocka_unit_test(test_where_addresses_lead),
		cmocka_unit_test(test_only_this_machine_is_loopback),
		cmocka_unit_test(test_mapped_bytes_become_v4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
