/* policy/net_decide: what each network policy says to connects, binds, questions and answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "policy/net_decide.h"
#include "util/macros.h"
#include "util/mem.h"

/*
 * A policy in words, as the flags are written: "full", "outbound", "loopback", "blocked";
 * "+RULE" is --allow-net, "-RULE" --deny-net, "@RULE" --allow-bind, "private" --allow-private.
 */
static void
make_policy(struct policy *policy, const char *words)
{
	_cleanup_free_ char *copy = mem_strdup(words);
	struct error err = ERROR_INIT;
	char *rest = copy;
	char *word;

	policy_init(policy);
	while ((word = strsep(&rest, " ")) != NULL) {
		int r = 0;

		if (*word == '+')
			r = net_rules_add(&policy->allow_net, word + 1, &err);
		else if (*word == '-')
			r = net_rules_add(&policy->deny_net, word + 1, &err);
		else if (*word == '@')
			r = net_rules_add(&policy->allow_bind, word + 1, &err);
		else if (str_equal(word, "private"))
			policy->allow_private = true;
		else
			r = policy_set_net(policy, word, &err);
		if (r < 0)
			fail_msg("%s: %s", words, err.message);
	}
	if (policy->allow_net.count > 0)
		policy->net_mode = NET_MODE_RULES;
}

/* "192.0.2.1:80" or "[::1]:80". */
static uint16_t
parse_peer(const char *text, struct net_address *ret_address)
{
	const char *colon = strrchr(text, ':');
	bool is_v6 = *text == '[';
	_cleanup_free_ char *host =
	    mem_strndup(text + is_v6, (size_t)(colon - text) - (is_v6 ? 2 : 0));

	if (net_address_parse(host, ret_address) < 0)
		fail_msg("%s is no address", text);
	return (uint16_t)atoi(colon + 1);
}

static const char *const verdict_names[] = { "allow", "own", "loopback", "refuse" };

#define ALLOW  NET_VERDICT_ALLOW
#define OWN    NET_VERDICT_OWN_LISTENER
#define MAKE   NET_VERDICT_MAKE_LOOPBACK
#define REFUSE NET_VERDICT_REFUSE

static const struct {
	const char *policy;
	const char *peer;
	const char *names; /* blanks between them; NULL: none */
	enum net_verdict verdict;
	const char *rule; /* that decided */
} connects[] = {
	/* the policies by name */
	{ "full", "192.0.2.1:443", NULL, ALLOW, NULL },
	{ "full", "127.0.0.1:443", NULL, ALLOW, NULL },
	{ "full", "169.254.169.254:80", NULL, ALLOW, NULL },
	{ "full", "[::1]:443", NULL, ALLOW, NULL },
	{ "full", "192.0.2.1:0", NULL, ALLOW, NULL },
	{ "outbound", "192.0.2.1:443", NULL, ALLOW, NULL },
	{ "outbound", "10.0.0.1:443", NULL, ALLOW, NULL },
	{ "outbound", "127.0.0.1:443", NULL, ALLOW, NULL },
	{ "loopback", "127.0.0.1:443", NULL, ALLOW, NULL },
	{ "loopback", "127.0.0.2:443", NULL, ALLOW, NULL },
	{ "loopback", "0.0.0.0:443", NULL, ALLOW, NULL },
	{ "loopback", "[::]:443", NULL, ALLOW, NULL },
	{ "loopback", "[::1]:443", NULL, ALLOW, NULL },
	{ "loopback", "[::ffff:127.0.0.1]:443", NULL, ALLOW, NULL },
	{ "loopback", "192.0.2.1:443", NULL, REFUSE, NULL },
	{ "loopback", "10.0.0.1:443", NULL, REFUSE, NULL },
	{ "loopback", "169.254.1.1:443", NULL, REFUSE, NULL },
	{ "loopback", "[fe80::1]:443", NULL, REFUSE, NULL },
	{ "loopback", "192.0.2.1:443", "localhost", REFUSE, NULL },
	{ "loopback", "[64:ff9b::127.0.0.1]:443", NULL, REFUSE, NULL },
	{ "loopback", "[2002:7f00:1::]:443", NULL, REFUSE, NULL },
	{ "loopback", "[::127.0.0.1]:443", NULL, REFUSE, NULL },
	{ "loopback-only", "127.0.0.1:1", NULL, ALLOW, NULL },
	{ "loopback_only", "127.0.0.1:1", NULL, ALLOW, NULL },
	{ "blocked", "127.0.0.1:443", NULL, REFUSE, NULL },
	{ "blocked", "192.0.2.1:443", NULL, REFUSE, NULL },
	{ "none", "[::1]:443", NULL, REFUSE, NULL },
	/* "*" is public and private, and nothing else */
	{ "+*:443", "192.0.2.1:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "[2001:db8::1]:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "192.0.2.1:80", NULL, REFUSE, NULL },
	{ "+*:443", "192.0.2.1:444", NULL, REFUSE, NULL },
	{ "+*:443", "10.0.0.1:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "192.168.1.1:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "100.64.0.1:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "[fd12::1]:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "127.0.0.1:443", NULL, OWN, NULL },
	{ "+*:443", "127.0.0.2:443", NULL, OWN, NULL },
	{ "+*:443", "[::1]:443", NULL, OWN, NULL },
	{ "+*:443", "0.0.0.0:443", NULL, OWN, NULL },
	{ "+*:443", "[::]:443", NULL, OWN, NULL },
	{ "+*:443", "[::ffff:127.0.0.1]:443", NULL, OWN, NULL },
	{ "+*:443", "[::ffff:0.0.0.0]:443", NULL, OWN, NULL },
	{ "+*:443", "169.254.1.1:443", NULL, REFUSE, NULL },
	{ "+*:443", "[fe80::1]:443", NULL, REFUSE, NULL },
	{ "+*:443", "169.254.169.254:443", NULL, REFUSE, NULL },
	{ "+*:443", "169.254.170.2:443", NULL, REFUSE, NULL },
	{ "+*:443", "100.100.100.200:443", NULL, REFUSE, NULL },
	{ "+*:443", "168.63.129.16:443", NULL, REFUSE, NULL },
	{ "+*:443", "[fd00:ec2::254]:443", NULL, REFUSE, NULL },
	{ "+*:443", "224.0.0.1:443", NULL, REFUSE, NULL },
	{ "+*:443", "255.255.255.255:443", NULL, REFUSE, NULL },
	{ "+*:443", "[ff02::1]:443", NULL, REFUSE, NULL },
	{ "+*:443", "[64:ff9b::192.0.2.1]:443", NULL, ALLOW, "*:443" },
	{ "+*:443", "[64:ff9b::127.0.0.1]:443", NULL, REFUSE, NULL },
	{ "+*:443", "[64:ff9b::169.254.169.254]:443", NULL, REFUSE, NULL },
	{ "+*:443", "[2002:7f00:1::]:443", NULL, REFUSE, NULL },
	{ "+*:443", "[2002:a9fe:a9fe::]:443", NULL, REFUSE, NULL },
	{ "+*:443", "[2001:0:c633:6401:0:0:80ff:fffe]:443", NULL, REFUSE, NULL },
	{ "+*:443", "[::127.0.0.1]:443", NULL, REFUSE, NULL },
	{ "+*:* private", "127.0.0.1:443", NULL, OWN, NULL },
	{ "+*:* private", "169.254.1.1:443", NULL, REFUSE, NULL },
	{ "+*:*", "192.0.2.1:0", NULL, ALLOW, "*:*" },
	{ "+*:443", "192.0.2.1:0", NULL, REFUSE, NULL },
	{ "+*:80-90", "192.0.2.1:80", NULL, ALLOW, "*:80-90" },
	{ "+*:80-90", "192.0.2.1:90", NULL, ALLOW, "*:80-90" },
	{ "+*:80-90", "192.0.2.1:91", NULL, REFUSE, NULL },
	{ "+*:80-90", "192.0.2.1:79", NULL, REFUSE, NULL },
	/* addresses and networks */
	{ "+192.0.2.1:443", "192.0.2.1:443", NULL, ALLOW, "192.0.2.1:443" },
	{ "+192.0.2.1:443", "[::ffff:192.0.2.1]:443", NULL, ALLOW, "192.0.2.1:443" },
	{ "+192.0.2.1:443", "192.0.2.2:443", NULL, REFUSE, NULL },
	{ "+192.0.2.1:443", "192.0.2.1:80", NULL, REFUSE, NULL },
	{ "+192.0.2.1:443", "[64:ff9b::192.0.2.1]:443", NULL, REFUSE, NULL },
	{ "+192.0.2.1:443", "[::192.0.2.1]:443", NULL, REFUSE, NULL },
	{ "+10.0.0.0/8:*", "10.1.2.3:22", NULL, ALLOW, "10.0.0.0/8:*" },
	{ "+10.0.0.0/8:*", "11.1.2.3:22", NULL, REFUSE, NULL },
	{ "+[2001:db8::/32]:443", "[2001:db8:1::1]:443", NULL, ALLOW, "[2001:db8::/32]:443" },
	{ "+[2001:db8::/32]:443", "[2001:db9::1]:443", NULL, REFUSE, NULL },
	{ "+0.0.0.0/0:*", "192.0.2.1:443", NULL, ALLOW, "0.0.0.0/0:*" },
	{ "+0.0.0.0/0:*", "10.0.0.1:443", NULL, ALLOW, "0.0.0.0/0:*" },
	{ "+0.0.0.0/0:*", "127.0.0.1:443", NULL, OWN, NULL },
	{ "+0.0.0.0/0:*", "0.0.0.0:443", NULL, OWN, NULL },
	{ "+0.0.0.0/0:*", "169.254.1.1:443", NULL, REFUSE, NULL },
	{ "+0.0.0.0/0:*", "169.254.169.254:443", NULL, REFUSE, NULL },
	{ "+0.0.0.0/0:*", "224.0.0.1:443", NULL, REFUSE, NULL },
	{ "+[::/0]:*", "[2001:db8::1]:443", NULL, ALLOW, "[::/0]:*" },
	{ "+[::/0]:*", "[::1]:443", NULL, OWN, NULL },
	{ "+[::/0]:*", "[::]:443", NULL, OWN, NULL },
	{ "+[::/0]:*", "[fe80::1]:443", NULL, REFUSE, NULL },
	{ "+[::/0]:*", "[64:ff9b::127.0.0.1]:443", NULL, REFUSE, NULL },
	{ "+[::/0]:*", "192.0.2.1:443", NULL, REFUSE, NULL },
	{ "+0.0.0.0/1:*", "127.0.0.1:443", NULL, OWN, NULL },
	{ "+126.0.0.0/7:*", "127.0.0.1:443", NULL, OWN, NULL },
	{ "+127.0.0.0/8:*", "127.0.0.1:443", NULL, ALLOW, "127.0.0.0/8:*" },
	{ "+127.0.0.0/8:*", "127.255.0.1:443", NULL, ALLOW, "127.0.0.0/8:*" },
	{ "+127.0.0.0/8:*", "[::1]:443", NULL, OWN, NULL },
	{ "+127.0.0.1:80", "127.0.0.1:80", NULL, ALLOW, "127.0.0.1:80" },
	{ "+127.0.0.1:80", "[::ffff:127.0.0.1]:80", NULL, ALLOW, "127.0.0.1:80" },
	{ "+127.0.0.1:80", "0.0.0.0:80", NULL, ALLOW, "127.0.0.1:80" },
	{ "+127.0.0.1:80", "127.0.0.2:80", NULL, OWN, NULL },
	{ "+127.0.0.1:80", "[::1]:80", NULL, OWN, NULL },
	{ "+127.0.0.1:80", "[::]:80", NULL, OWN, NULL },
	{ "+127.0.0.1:80", "127.0.0.1:81", NULL, OWN, NULL },
	{ "+127.0.0.1:80", "[64:ff9b::7f00:1]:80", NULL, REFUSE, NULL },
	{ "+[::1]:80", "[::1]:80", NULL, ALLOW, "[::1]:80" },
	{ "+[::1]:80", "[::]:80", NULL, ALLOW, "[::1]:80" },
	{ "+[::1]:80", "127.0.0.1:80", NULL, OWN, NULL },
	/* a rule with the wildcard address is about this machine */
	{ "+0.0.0.0:80", "0.0.0.0:80", NULL, ALLOW, "0.0.0.0:80" },
	{ "+0.0.0.0:80", "127.0.0.1:80", NULL, ALLOW, "0.0.0.0:80" },
	{ "+0.0.0.0/32:80", "127.0.0.1:80", NULL, ALLOW, "0.0.0.0/32:80" },
	{ "+0.0.0.0:80", "[::ffff:0.0.0.0]:80", NULL, ALLOW, "0.0.0.0:80" },
	{ "+[::ffff:0.0.0.0]:80", "127.0.0.1:80", NULL, ALLOW, "[::ffff:0.0.0.0]:80" },
	{ "+0.0.0.0:80", "127.0.0.1:81", NULL, OWN, NULL },
	{ "+0.0.0.0:80", "127.0.0.2:80", NULL, OWN, NULL },
	{ "+0.0.0.0:80", "[::]:80", NULL, OWN, NULL },
	{ "+0.0.0.0:80", "[::1]:80", NULL, OWN, NULL },
	{ "+0.0.0.0:80", "192.0.2.1:80", NULL, REFUSE, NULL },
	{ "+0.0.0.0:80", "[64:ff9b::7f00:1]:80", NULL, REFUSE, NULL },
	{ "+[::]:80", "[::]:80", NULL, ALLOW, "[::]:80" },
	{ "+[::]:80", "[::1]:80", NULL, ALLOW, "[::]:80" },
	{ "+[::]:80", "127.0.0.1:80", NULL, OWN, NULL },
	{ "+[::]:80", "0.0.0.0:80", NULL, OWN, NULL },
	{ "+[::]:80", "[2001:db8::1]:80", NULL, REFUSE, NULL },
	{ "+0.0.0.0/8:80", "0.0.0.0:80", NULL, OWN, NULL },
	{ "+0.0.0.0/31:80", "127.0.0.1:80", NULL, OWN, NULL },
	{ "+169.254.0.0/16:80", "169.254.1.1:80", NULL, ALLOW, "169.254.0.0/16:80" },
	{ "+169.254.0.0/16:80", "169.254.169.254:80", NULL, REFUSE, NULL },
	{ "+169.254.169.254/31:80", "169.254.169.254:80", NULL, REFUSE, NULL },
	{ "+169.254.169.254:80", "169.254.169.254:80", NULL, ALLOW, "169.254.169.254:80" },
	{ "+169.254.169.254/32:80", "169.254.169.254:80", NULL, ALLOW, "169.254.169.254/32:80" },
	{ "+169.0.0.0/8:80", "169.254.1.1:80", NULL, REFUSE, NULL },
	{ "+100.64.0.0/10:80", "100.100.100.200:80", NULL, REFUSE, NULL },
	{ "+100.64.0.0/10:80", "100.100.100.201:80", NULL, ALLOW, "100.64.0.0/10:80" },
	{ "+[fd00::/8]:80", "[fd00:ec2::254]:80", NULL, REFUSE, NULL },
	{ "+[fd00::/8]:80", "[fd00:ec2::1]:80", NULL, ALLOW, "[fd00::/8]:80" },
	{ "+[fd00:ec2::254]:80", "[fd00:ec2::254]:80", NULL, ALLOW, "[fd00:ec2::254]:80" },
	{ "+[fe80::/10]:80", "[fe80::1]:80", NULL, ALLOW, "[fe80::/10]:80" },
	{ "+[fe80::/9]:80", "[fe80::1]:80", NULL, REFUSE, NULL },
	{ "+224.0.0.0/4:80", "224.0.0.1:80", NULL, ALLOW, "224.0.0.0/4:80" },
	{ "+[64:ff9b::/96]:80", "[64:ff9b::192.0.2.1]:80", NULL, ALLOW, "[64:ff9b::/96]:80" },
	{ "+[64:ff9b::/96]:80", "[64:ff9b::127.0.0.1]:80", NULL, REFUSE, NULL },
	{ "+[64:ff9b::127.0.0.0/104]:80", "[64:ff9b::127.0.0.1]:80", NULL, ALLOW,
	  "[64:ff9b::127.0.0.0/104]:80" },
	{ "+[2002::/16]:80", "[2002:a9fe:a9fe::1]:80", NULL, REFUSE, NULL },
	/* names */
	{ "+a.example:443", "192.0.2.1:443", "a.example", ALLOW, "a.example:443" },
	{ "+a.example:443", "192.0.2.1:443", "b.example a.example", ALLOW, "a.example:443" },
	{ "+a.example:443", "192.0.2.1:443", "b.example", REFUSE, NULL },
	{ "+a.example:443", "192.0.2.1:443", "x.a.example", REFUSE, NULL },
	{ "+a.example:443", "192.0.2.1:443", NULL, REFUSE, NULL },
	{ "+a.example:443", "192.0.2.1:80", "a.example", REFUSE, NULL },
	{ "+*.a.example:443", "192.0.2.1:443", "a.example", ALLOW, "*.a.example:443" },
	{ "+*.a.example:443", "192.0.2.1:443", "x.y.a.example", ALLOW, "*.a.example:443" },
	{ "+*.a.example:443", "192.0.2.1:443", "xa.example", REFUSE, NULL },
	{ "+a.example:443", "10.0.0.1:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "100.64.0.1:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "198.18.0.1:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "240.0.0.1:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "[fd12::1]:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "127.0.0.1:443", "a.example", OWN, NULL },
	{ "+a.example:443", "0.0.0.0:443", "a.example", OWN, NULL },
	{ "+a.example:443", "[::1]:443", "a.example", OWN, NULL },
	{ "+a.example:443", "169.254.1.1:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "169.254.169.254:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "[64:ff9b::10.0.0.1]:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "[2002:a00:1::]:443", "a.example", REFUSE, NULL },
	{ "+a.example:443", "[64:ff9b::192.0.2.1]:443", "a.example", ALLOW, "a.example:443" },
	{ "private +a.example:443", "10.0.0.1:443", "a.example", ALLOW, "a.example:443" },
	{ "private +a.example:443", "127.0.0.1:443", "a.example", ALLOW, "a.example:443" },
	{ "private +a.example:443", "0.0.0.0:443", "a.example", ALLOW, "a.example:443" },
	{ "private +a.example:443", "169.254.1.1:443", "a.example", ALLOW, "a.example:443" },
	{ "private +a.example:443", "169.254.169.254:443", "a.example", REFUSE, NULL },
	{ "private +a.example:443", "[fd00:ec2::254]:443", "a.example", REFUSE, NULL },
	{ "private +a.example:443", "[64:ff9b::169.254.169.254]:443", "a.example", REFUSE, NULL },
	{ "private +a.example:443", "224.0.0.1:443", "a.example", REFUSE, NULL },
	{ "private +a.example:443", "10.0.0.1:443", "b.example", REFUSE, NULL },
	{ "private +a.example:443", "10.0.0.1:443", NULL, REFUSE, NULL },
	/* localhost is loopback without --allow-private */
	{ "+localhost:3000", "127.0.0.1:3000", NULL, ALLOW, "localhost:3000" },
	{ "+localhost:3000", "[::1]:3000", NULL, ALLOW, "localhost:3000" },
	{ "+localhost:3000", "0.0.0.0:3000", NULL, ALLOW, "localhost:3000" },
	{ "+localhost:3000", "[::ffff:127.0.0.1]:3000", NULL, ALLOW, "localhost:3000" },
	{ "+localhost:3000", "127.0.0.1:3001", NULL, OWN, NULL },
	{ "+localhost:3000", "127.0.0.2:3000", NULL, OWN, NULL },
	{ "+localhost:3000", "192.0.2.1:3000", NULL, REFUSE, NULL },
	{ "+localhost:3000", "192.0.2.1:3000", "localhost", REFUSE, NULL },
	{ "private +localhost:3000", "10.0.0.1:3000", "localhost", REFUSE, NULL },
	{ "+*.localhost:3000", "192.0.2.1:3000", "x.localhost", REFUSE, NULL },
	{ "+localhost:3000", "[64:ff9b::127.0.0.1]:3000", NULL, REFUSE, NULL },
	{ "+app.localhost:3000", "127.0.0.1:3000", NULL, ALLOW, "app.localhost:3000" },
	{ "+*.localhost:3000", "[::1]:3000", NULL, ALLOW, "*.localhost:3000" },
	{ "+mylocalhost:3000", "127.0.0.1:3000", NULL, OWN, NULL },
	{ "+localhost.example.com:3000", "127.0.0.1:3000", NULL, OWN, NULL },
	/* several rules; the first that matches is told */
	{ "+*:443 +192.0.2.1:80", "192.0.2.1:80", NULL, ALLOW, "192.0.2.1:80" },
	{ "+192.0.2.0/24:443 +*:443", "192.0.2.1:443", NULL, ALLOW, "192.0.2.0/24:443" },
	{ "+a.example:443 +10.0.0.0/8:443", "10.0.0.1:443", "a.example", ALLOW, "10.0.0.0/8:443" },
	/* deny wins, under every policy */
	{ "full -192.0.2.1:443", "192.0.2.1:443", NULL, REFUSE, "192.0.2.1:443" },
	{ "full -192.0.2.1:443", "[::ffff:192.0.2.1]:443", NULL, REFUSE, "192.0.2.1:443" },
	{ "full -192.0.2.1:443", "[64:ff9b::192.0.2.1]:443", NULL, REFUSE, "192.0.2.1:443" },
	{ "full -192.0.2.1:443", "[2002:c000:201::1]:443", NULL, REFUSE, "192.0.2.1:443" },
	{ "full -192.0.2.1:443", "192.0.2.1:80", NULL, ALLOW, NULL },
	{ "full -192.0.2.1:443", "192.0.2.2:443", NULL, ALLOW, NULL },
	{ "outbound -10.0.0.0/8:*", "10.1.1.1:1", NULL, REFUSE, "10.0.0.0/8:*" },
	{ "outbound -10.0.0.0/8:*", "10.1.1.1:0", NULL, REFUSE, "10.0.0.0/8:*" },
	{ "full -*:25", "192.0.2.1:25", NULL, REFUSE, "*:25" },
	{ "full -*:25", "127.0.0.1:25", NULL, REFUSE, "*:25" },
	{ "full -*:25", "169.254.169.254:25", NULL, REFUSE, "*:25" },
	{ "full -*:25", "192.0.2.1:26", NULL, ALLOW, NULL },
	{ "full -0.0.0.0/0:80", "127.0.0.1:80", NULL, REFUSE, "0.0.0.0/0:80" },
	{ "full -127.0.0.1:80", "0.0.0.0:80", NULL, REFUSE, "127.0.0.1:80" },
	{ "full -127.0.0.1:80", "[::ffff:127.0.0.1]:80", NULL, REFUSE, "127.0.0.1:80" },
	{ "full -[::1]:80", "[::]:80", NULL, REFUSE, "[::1]:80" },
	{ "full -0.0.0.0:80", "0.0.0.0:80", NULL, REFUSE, "0.0.0.0:80" },
	{ "full -0.0.0.0:80", "127.0.0.1:80", NULL, REFUSE, "0.0.0.0:80" },
	{ "full -0.0.0.0:80", "127.0.0.2:80", NULL, REFUSE, "0.0.0.0:80" },
	{ "full -0.0.0.0:80", "[::1]:80", NULL, REFUSE, "0.0.0.0:80" },
	{ "full -0.0.0.0:80", "[::ffff:127.0.0.1]:80", NULL, REFUSE, "0.0.0.0:80" },
	{ "full -0.0.0.0:80", "127.0.0.1:81", NULL, ALLOW, NULL },
	{ "full -0.0.0.0:80", "192.0.2.1:80", NULL, ALLOW, NULL },
	{ "full -[::]:80", "[::]:80", NULL, REFUSE, "[::]:80" },
	{ "full -[::]:80", "[::1]:80", NULL, REFUSE, "[::]:80" },
	{ "full -[::]:80", "127.0.0.1:80", NULL, REFUSE, "[::]:80" },
	{ "full -[::]:80", "[2001:db8::1]:80", NULL, ALLOW, NULL },
	{ "+127.0.0.1:80 -0.0.0.0:80", "127.0.0.1:80", NULL, REFUSE, "0.0.0.0:80" },
	{ "full -localhost:80", "127.0.0.1:80", NULL, REFUSE, "localhost:80" },
	{ "full -localhost:80", "127.0.0.2:80", NULL, REFUSE, "localhost:80" },
	{ "full -localhost:80", "0.0.0.0:80", NULL, REFUSE, "localhost:80" },
	{ "full -localhost:80", "[::1]:80", NULL, REFUSE, "localhost:80" },
	{ "full -localhost:80", "192.0.2.1:80", NULL, ALLOW, NULL },
	{ "full -a.example:443", "192.0.2.1:443", "a.example", REFUSE, "a.example:443" },
	{ "full -a.example:443", "192.0.2.1:443", "b.example a.example", REFUSE, "a.example:443" },
	{ "full -a.example:443", "192.0.2.1:443", "b.example", ALLOW, NULL },
	{ "full -*.a.example:443", "192.0.2.1:443", "x.a.example", REFUSE, "*.a.example:443" },
	{ "+*:443 -*.a.example:*", "192.0.2.1:443", "x.a.example", REFUSE, "*.a.example:*" },
	{ "+*:443 -*.a.example:*", "192.0.2.1:443", "b.example", ALLOW, "*:443" },
	{ "+*.a.example:443 -x.a.example:443", "192.0.2.1:443", "x.a.example", REFUSE,
	  "x.a.example:443" },
	{ "+*.a.example:443 -x.a.example:443", "192.0.2.1:443", "y.a.example", ALLOW,
	  "*.a.example:443" },
	{ "+192.0.2.0/24:443 -192.0.2.7:443", "192.0.2.7:443", NULL, REFUSE, "192.0.2.7:443" },
	{ "+192.0.2.7:443 -192.0.2.0/24:443", "192.0.2.7:443", NULL, REFUSE, "192.0.2.0/24:443" },
	{ "+192.0.2.7:443 -192.0.2.7:443", "192.0.2.7:443", NULL, REFUSE, "192.0.2.7:443" },
	{ "+*:443 -*:443", "127.0.0.1:443", NULL, REFUSE, "*:443" },
	{ "loopback -127.0.0.1:5432", "127.0.0.1:5432", NULL, REFUSE, "127.0.0.1:5432" },
	{ "loopback -127.0.0.1:5432", "127.0.0.1:5433", NULL, ALLOW, NULL },
};

static size_t
split_names(char *text, const char *names[8])
{
	size_t count = 0;
	char *name;

	while (text != NULL && (name = strsep(&text, " ")) != NULL)
		names[count++] = name;
	return count;
}

static void
test_connects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(connects); i++) {
		_cleanup_free_ char *text =
		    connects[i].names != NULL ? mem_strdup(connects[i].names) : NULL;
		const struct net_rule *rule = NULL;
		struct net_address address;
		const char *names[8];
		struct policy policy;
		enum net_verdict verdict;
		uint16_t port;

		make_policy(&policy, connects[i].policy);
		port = parse_peer(connects[i].peer, &address);
		verdict = net_decide_connect(&policy, &address, port, names,
					     split_names(text, names), &rule);
		if (verdict != connects[i].verdict ||
		    (rule != NULL) != (connects[i].rule != NULL) ||
		    (rule != NULL && strcmp(rule->text, connects[i].rule) != 0))
			fail_msg("%s, connect to %s (%s): %s by %s", connects[i].policy,
				 connects[i].peer, connects[i].names ? connects[i].names : "",
				 verdict_names[verdict], rule ? rule->text : "no rule");
		policy_done(&policy);
	}
}

/* A caller that did not make a mapped address v4 gets no other answer. */
static void
test_mapped_addresses_are_judged_as_v4(void **state)
{
	struct net_address mapped = { .is_v6 = true, .bytes = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };
	struct policy policy;

	(void)state;
	make_policy(&policy, "+*:80");
	assert_int_equal(net_decide_connect(&policy, &mapped, 80, NULL, 0, NULL), OWN);
	policy_done(&policy);
	make_policy(&policy, "full -127.0.0.1:80");
	assert_int_equal(net_decide_connect(&policy, &mapped, 80, NULL, 0, NULL), REFUSE);
	policy_done(&policy);
}

static const struct {
	const char *policy;
	const char *address;
	enum net_verdict verdict;
} binds[] = {
	{ "full", "0.0.0.0:8080", ALLOW },
	{ "full", "192.0.2.1:8080", ALLOW },
	{ "full", "[::]:0", ALLOW },
	{ "full -*:8080", "0.0.0.0:8080", ALLOW },
	{ "blocked", "127.0.0.1:8080", REFUSE },
	{ "blocked", "0.0.0.0:0", REFUSE },
	{ "outbound", "127.0.0.1:8080", ALLOW },
	{ "outbound", "127.0.0.2:8080", ALLOW },
	{ "outbound", "[::1]:8080", ALLOW },
	{ "outbound", "0.0.0.0:8080", MAKE },
	{ "outbound", "[::]:8080", MAKE },
	{ "outbound", "[::ffff:0.0.0.0]:8080", MAKE },
	{ "outbound", "[::ffff:127.0.0.1]:8080", ALLOW },
	{ "outbound", "0.0.0.0:0", MAKE },
	{ "outbound", "127.0.0.1:0", ALLOW },
	{ "outbound", "192.0.2.1:8080", REFUSE },
	{ "outbound", "[2001:db8::1]:8080", REFUSE },
	{ "outbound", "[fe80::1]:8080", REFUSE },
	{ "outbound", "[64:ff9b::127.0.0.1]:8080", REFUSE },
	{ "loopback", "127.0.0.1:8080", ALLOW },
	{ "loopback", "0.0.0.0:8080", MAKE },
	{ "loopback", "192.0.2.1:8080", REFUSE },
	{ "+*:443", "127.0.0.1:8080", ALLOW },
	{ "+*:443", "0.0.0.0:443", MAKE },
	{ "+*:443", "192.0.2.1:443", REFUSE },
	{ "outbound @*:8080", "0.0.0.0:8080", ALLOW },
	{ "outbound @*:8080", "[::]:8080", ALLOW },
	{ "outbound @*:8080", "192.0.2.1:8080", ALLOW },
	{ "outbound @*:8080", "0.0.0.0:8081", MAKE },
	{ "outbound @*:8080", "0.0.0.0:0", MAKE },
	{ "outbound @*:8080", "192.0.2.1:0", REFUSE },
	{ "outbound @*:*", "0.0.0.0:0", ALLOW },
	{ "outbound @*:*", "192.0.2.1:0", ALLOW },
	{ "outbound @0.0.0.0:8080", "0.0.0.0:8080", ALLOW },
	{ "outbound @0.0.0.0:8080", "[::]:8080", MAKE },
	{ "outbound @0.0.0.0:8080", "192.0.2.1:8080", REFUSE },
	{ "outbound @[::]:8080", "[::]:8080", ALLOW },
	{ "outbound @192.0.2.1:8080", "192.0.2.1:8080", ALLOW },
	{ "outbound @192.0.2.1:8080", "[::ffff:192.0.2.1]:8080", ALLOW },
	{ "outbound @192.0.2.1:8080", "0.0.0.0:8080", MAKE },
	{ "outbound @127.0.0.1:8080", "0.0.0.0:8080", MAKE },
	{ "outbound @192.0.2.0/24:8000-8999", "192.0.2.9:8500", ALLOW },
	{ "outbound @192.0.2.0/24:8000-8999", "192.0.3.9:8500", REFUSE },
	{ "+*:443 @*:8080", "0.0.0.0:8080", ALLOW },
	{ "loopback @*:8080", "0.0.0.0:8080", MAKE },
	{ "blocked @*:8080", "0.0.0.0:8080", REFUSE },
};

static void
test_binds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++) {
		struct net_address address;
		enum net_verdict verdict;
		struct policy policy;
		uint16_t port;

		make_policy(&policy, binds[i].policy);
		port = parse_peer(binds[i].address, &address);
		verdict = net_decide_bind(&policy, &address, port);
		if (verdict != binds[i].verdict)
			fail_msg("%s, bind to %s: %s", binds[i].policy, binds[i].address,
				 verdict_names[verdict]);
		policy_done(&policy);
	}
}

static const char *const search_domains[] = { "corp.example", "example", "ns.svc.cluster.local",
					      NULL };

/* A question where `address` is NULL, else an answer; with the search domains above if `search`. */
static const struct {
	const char *policy;
	const char *name;
	const char *address;
	bool search;
	bool allowed;
} questions[] = {
	{ "full", "a.example", NULL, false, true },
	{ "outbound", "a.example", NULL, false, true },
	{ "loopback", "a.example", NULL, false, false },
	{ "loopback", "localhost", NULL, false, true },
	{ "loopback", "app.localhost", NULL, false, true },
	{ "loopback", "notlocalhost", NULL, false, false },
	{ "blocked", "a.example", NULL, false, false },
	{ "blocked", "localhost", NULL, false, false },
	{ "+*:443", "a.example", NULL, false, true },
	{ "+*:443", "localhost", NULL, false, true },
	{ "+a.example:443", "a.example", NULL, false, true },
	{ "+a.example:443", "b.example", NULL, false, false },
	{ "+a.example:443", "x.a.example", NULL, false, false },
	{ "+a.example:443", "localhost", NULL, false, true },
	{ "+*.a.example:443", "x.a.example", NULL, false, true },
	{ "+*.a.example:443", "a.example", NULL, false, true },
	{ "+*.a.example:443", "example", NULL, false, false },
	{ "+192.0.2.0/24:443", "a.example", NULL, false, false },
	{ "+0.0.0.0/0:*", "a.example", NULL, false, false },
	/* search domains */
	{ "+db:443", "db.corp.example", NULL, false, false },
	{ "+db:443", "db.corp.example", NULL, true, true },
	{ "+db:443", "db.example", NULL, true, true },
	{ "+db:443", "db", NULL, true, true },
	{ "+db:443", "xdb.corp.example", NULL, true, false },
	{ "+db:443", "db.corp.example.com", NULL, true, false },
	{ "+db:443", "corp.example", NULL, true, false },
	{ "+db.corp:443", "db.corp.example", NULL, true, true },
	{ "+db.ns:443", "db.ns.ns.svc.cluster.local", NULL, true, true },
	{ "full -db:*", "db.corp.example", NULL, true, false },
	{ "full -db:*", "db.corp.example", NULL, false, true },
	/* denied for every port, or for every port that is allowed */
	{ "full -a.example:*", "a.example", NULL, false, false },
	{ "full -a.example:443", "a.example", NULL, false, true },
	{ "full -a.example:1-999 -a.example:1000-65535", "a.example", NULL, false, false },
	{ "full -a.example:1000-65535 -*.example:1-999", "a.example", NULL, false, false },
	{ "full -a.example:1-998 -a.example:1000-65535", "a.example", NULL, false, true },
	{ "full -*:*", "a.example", NULL, false, false },
	{ "full -*:443", "a.example", NULL, false, true },
	{ "full -192.0.2.0/24:*", "a.example", NULL, false, true },
	{ "+a.example:443 -a.example:443", "a.example", NULL, false, false },
	{ "+a.example:443 -a.example:80", "a.example", NULL, false, true },
	{ "+a.example:443 +a.example:80 -a.example:443", "a.example", NULL, false, true },
	{ "+*:443 -*.a.example:*", "x.a.example", NULL, false, false },
	{ "+*:443 -*.a.example:*", "b.example", NULL, false, true },
	{ "+*:443 -localhost:*", "localhost", NULL, false, false },
	/* answers */
	{ "full", "a.example", "192.0.2.1", false, true },
	{ "full", "a.example", "127.0.0.1", false, true },
	{ "full -192.0.2.1:*", "a.example", "192.0.2.1", false, false },
	{ "full -192.0.2.1:443", "a.example", "192.0.2.1", false, true },
	{ "full -a.example:*", "a.example", "192.0.2.1", false, false },
	{ "+a.example:443", "a.example", "192.0.2.1", false, true },
	{ "+a.example:443", "a.example", "2001:db8::1", false, true },
	{ "+a.example:443", "b.example", "192.0.2.1", false, false },
	{ "+a.example:443", "a.example", "127.0.0.1", false, false },
	{ "+a.example:443", "a.example", "0.0.0.0", false, false },
	{ "+a.example:443", "a.example", "::1", false, false },
	{ "+a.example:443", "a.example", "10.0.0.1", false, false },
	{ "+a.example:443", "a.example", "169.254.169.254", false, false },
	{ "+a.example:443", "a.example", "64:ff9b::10.0.0.1", false, false },
	{ "+a.example:443", "a.example", "2002:7f00:1::", false, false },
	{ "+a.example:443 +10.0.0.0/8:80", "a.example", "10.0.0.1", false, true },
	{ "private +a.example:443", "a.example", "10.0.0.1", false, true },
	{ "private +a.example:443", "a.example", "127.0.0.1", false, true },
	{ "private +a.example:443", "a.example", "169.254.169.254", false, false },
	{ "+*:443", "a.example", "192.0.2.1", false, true },
	{ "+*:443", "a.example", "10.0.0.1", false, true },
	{ "+*:443", "a.example", "127.0.0.1", false, false },
	{ "+*:443", "a.example", "169.254.169.254", false, false },
	{ "+*:443", "localhost", "127.0.0.1", false, true },
	{ "+*:443", "localhost", "::1", false, true },
	{ "+*:443", "localhost", "192.0.2.1", false, false },
	{ "loopback", "localhost", "127.0.0.1", false, true },
	{ "loopback", "localhost", "10.0.0.1", false, false },
	{ "loopback", "a.example", "127.0.0.1", false, false },
	{ "blocked", "localhost", "127.0.0.1", false, false },
	{ "+db:443", "db.corp.example", "192.0.2.1", true, true },
	{ "+db:443", "db.corp.example", "192.0.2.1", false, false },
	{ "+db:443", "db.corp.example", "10.0.0.1", true, false },
};

static void
test_questions_and_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		const char *const *search = questions[i].search ? search_domains : NULL;
		struct net_address address;
		struct policy policy;
		bool allowed;

		make_policy(&policy, questions[i].policy);
		if (questions[i].address == NULL) {
			allowed = net_decide_name(&policy, questions[i].name, search);
		} else {
			assert_int_equal(net_address_parse(questions[i].address, &address), 0);
			allowed = net_decide_answer(&policy, questions[i].name, search, &address);
		}
		if (allowed != questions[i].allowed)
			fail_msg("%s, %s %s: %d", questions[i].policy, questions[i].name,
				 questions[i].address ? questions[i].address : "", allowed);
		policy_done(&policy);
	}
}

/* What may be connected to on some port may be answered, and the other way round. */
static void
test_answers_agree_with_connects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(connects); i++) {
		struct net_address address;
		enum net_verdict verdict;
		struct policy policy;
		const char *name = connects[i].names;
		uint16_t port;

		if (name == NULL || strchr(name, ' ') != NULL || str_equal(name, "localhost"))
			continue;
		make_policy(&policy, connects[i].policy);
		port = parse_peer(connects[i].peer, &address);
		verdict = net_decide_connect(&policy, &address, port, &name, 1, NULL);
		if (verdict == NET_VERDICT_ALLOW &&
		    !net_decide_answer(&policy, name, NULL, &address))
			fail_msg("%s, %s %s", connects[i].policy, connects[i].peer, name);
		policy_done(&policy);
	}
}

static void
test_forms_of_a_name(void **state)
{
	struct strv names = STRV_INIT;

	(void)state;
	net_name_add_forms("db.corp.example", search_domains, &names);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.items[0], "db.corp.example");
	assert_string_equal(names.items[1], "db");
	assert_string_equal(names.items[2], "db.corp");
	strv_done(&names);
	net_name_add_forms("corp.example", search_domains, &names);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.items[1], "corp");
	strv_done(&names);
	net_name_add_forms("db.corp.example", NULL, &names);
	assert_int_equal(names.count, 1);
	strv_done(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connects),
		cmocka_unit_test(test_mapped_addresses_are_judged_as_v4),
		cmocka_unit_test(test_binds),
		cmocka_unit_test(test_questions_and_answers),
		cmocka_unit_test(test_answers_agree_with_connects),
		cmocka_unit_test(test_forms_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
