/* What a policy says to one network request; see net_decide.h. */
#include "policy/net_decide.h"

#include <string.h>

#include "util/mem.h"
#include "util/strings.h"

/* What is known of a peer. */
struct peer {
	bool has_address;	      /* false: a name that is about to be asked for */
	struct net_address address;   /* the loopback address where the wildcard was asked for */
	enum net_address_class class; /* of `address` */
	bool has_asked;
	struct net_address asked; /* the wildcard itself */
	bool has_carried;
	struct net_address carried;
	const char *const *names;
	size_t names_count;
};

static bool
is_localhost(const char *name)
{
	return str_equal(name, "localhost") || str_ends_with(name, ".localhost");
}

static void
make_loopback(struct net_address *address)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	static const uint8_t v6[16] = { [15] = 1 };

	if (address->is_v6)
		net_address_from_v6_bytes(v6, address);
	else
		net_address_from_v4_bytes(v4, address);
}

static void
peer_init(struct peer *peer, const struct net_address *address, const char *const *names,
	  size_t names_count)
{
	*peer = (struct peer){ .names = names, .names_count = names_count };
	if (address == NULL)
		return;
	peer->has_address = true;
	peer->address = *address;
	if (address->is_v6)
		net_address_from_v6_bytes(address->bytes, &peer->address);
	if (net_address_is_wildcard(&peer->address)) {
		peer->has_asked = true;
		peer->asked = peer->address;
		make_loopback(&peer->address);
	}
	peer->class = net_address_classify(&peer->address);
	peer->has_carried = net_address_carried_v4(&peer->address, &peer->carried);
}

static bool
rule_names_localhost(const struct net_rule *rule)
{
	return (rule->kind == NET_HOST_NAME || rule->kind == NET_HOST_SUFFIX) &&
	       is_localhost(rule->name);
}

static bool
rule_matches_names(const struct net_rule *rule, const struct peer *peer)
{
	for (size_t i = 0; i < peer->names_count; i++) {
		if (net_rule_matches_name(rule, peer->names[i]))
			return true;
	}
	return false;
}

/* Whether a --deny-net rule means this peer, on some port: read as widely as it can be. */
static bool
deny_matches(const struct net_rule *rule, const struct peer *peer)
{
	if (rule->kind == NET_HOST_ANY || rule_matches_names(rule, peer))
		return true;
	if (!peer->has_address)
		return false;
	if (net_rule_matches_address(rule, &peer->address))
		return true;
	if (peer->has_asked && net_rule_matches_address(rule, &peer->asked))
		return true;
	if (peer->has_carried && net_rule_matches_address(rule, &peer->carried))
		return true;
	return (rule_names_localhost(rule) || net_rule_names_this_machine(rule)) &&
	       net_address_is_loopback(&peer->address);
}

/* Whether a rule that does not name the class (a network in it does) means addresses of it. */
static bool
is_admitted_class(const struct policy *policy, const struct net_rule *rule,
		  enum net_address_class class)
{
	switch (class) {
	case NET_ADDRESS_PUBLIC:
		return true;
	case NET_ADDRESS_PRIVATE:
		return rule->kind == NET_HOST_ANY || rule->kind == NET_HOST_CIDR ||
		       policy->allow_private;
	case NET_ADDRESS_LOOPBACK:
	case NET_ADDRESS_LINK_LOCAL:
		return (rule->kind == NET_HOST_NAME || rule->kind == NET_HOST_SUFFIX) &&
		       policy->allow_private;
	case NET_ADDRESS_METADATA:
	case NET_ADDRESS_MULTICAST:
	case NET_ADDRESS_CLASS_COUNT:
		break;
	}
	return false;
}

static bool
is_exact_loopback(const struct net_address *address)
{
	struct net_address loopback = *address;

	make_loopback(&loopback);
	return net_address_equal(address, &loopback);
}

/* A CIDR rule names the classes whose range holds its network; so metadata only as one address. */
static bool
network_admits(const struct policy *policy, const struct net_rule *rule,
	       const struct net_address *address)
{
	enum net_address_class class;
	unsigned class_bits;

	if (!net_rule_matches_address(rule, address))
		return false;
	class = net_address_classify_range(address, &class_bits);
	return rule->prefix_bits >= class_bits || is_admitted_class(policy, rule, class);
}

/* Whether an --allow-net rule means this peer, on some port: read as narrowly as it can be. */
static bool
allow_matches(const struct policy *policy, const struct net_rule *rule, const struct peer *peer)
{
	if (!peer->has_address)
		return rule->kind == NET_HOST_ANY || rule_matches_names(rule, peer);
	switch (rule->kind) {
	case NET_HOST_ANY:
		return is_admitted_class(policy, rule, peer->class);
	case NET_HOST_CIDR:
		if (net_rule_names_this_machine(rule))
			return rule->network.is_v6 == peer->address.is_v6 &&
			       is_exact_loopback(&peer->address);
		return network_admits(policy, rule, &peer->address);
	case NET_HOST_NAME:
	case NET_HOST_SUFFIX:
		/* Whatever somebody answered for it, localhost is nothing but loopback. */
		if (rule_names_localhost(rule))
			return is_exact_loopback(&peer->address);
		return is_admitted_class(policy, rule, peer->class) &&
		       rule_matches_names(rule, peer);
	case NET_HOST_KIND_COUNT:
		break;
	}
	return false;
}

/* Port 0 is no port that a rule can name; a rule for every port means it too. */
static bool
covers_port(const struct net_rule *rule, uint16_t port)
{
	if (port == 0)
		return rule->port_first == 1 && rule->port_last == UINT16_MAX;
	return net_rule_matches_port(rule, port);
}

enum net_verdict
net_decide_connect(const struct policy *policy, const struct net_address *address, uint16_t port,
		   const char *const *names, size_t names_count, const struct net_rule **ret_rule)
{
	const struct net_rule *ignored;
	bool is_loopback;
	struct peer peer;

	peer_init(&peer, address, names, names_count);
	is_loopback = net_address_is_loopback(&peer.address);
	if (ret_rule == NULL)
		ret_rule = &ignored;
	*ret_rule = NULL;
	for (size_t i = 0; i < policy->deny_net.count; i++) {
		const struct net_rule *rule = &policy->deny_net.items[i];

		if (covers_port(rule, port) && deny_matches(rule, &peer)) {
			*ret_rule = rule;
			return NET_VERDICT_REFUSE;
		}
	}
	switch (policy->net_mode) {
	case NET_MODE_FULL:
	case NET_MODE_OUTBOUND:
		return NET_VERDICT_ALLOW;
	case NET_MODE_LOOPBACK_ONLY:
		return is_loopback ? NET_VERDICT_ALLOW : NET_VERDICT_REFUSE;
	case NET_MODE_RULES:
		break;
	case NET_MODE_BLOCKED:
	case NET_MODE_COUNT:
		return NET_VERDICT_REFUSE;
	}
	for (size_t i = 0; i < policy->allow_net.count; i++) {
		const struct net_rule *rule = &policy->allow_net.items[i];

		if (covers_port(rule, port) && allow_matches(policy, rule, &peer)) {
			*ret_rule = rule;
			return NET_VERDICT_ALLOW;
		}
	}
	return is_loopback ? NET_VERDICT_OWN_LISTENER : NET_VERDICT_REFUSE;
}

enum net_verdict
net_decide_bind(const struct policy *policy, const struct net_address *address, uint16_t port)
{
	struct peer peer;

	if (policy->net_mode == NET_MODE_FULL)
		return NET_VERDICT_ALLOW;
	if (policy->net_mode == NET_MODE_BLOCKED)
		return NET_VERDICT_REFUSE;
	peer_init(&peer, address, NULL, 0);
	if (policy->net_mode != NET_MODE_LOOPBACK_ONLY) {
		const struct net_address *bound = peer.has_asked ? &peer.asked : &peer.address;

		for (size_t i = 0; i < policy->allow_bind.count; i++) {
			const struct net_rule *rule = &policy->allow_bind.items[i];

			if (covers_port(rule, port) &&
			    (rule->kind == NET_HOST_ANY || net_rule_matches_address(rule, bound)))
				return NET_VERDICT_ALLOW;
		}
	}
	if (peer.has_asked)
		return NET_VERDICT_MAKE_LOOPBACK;
	return net_address_is_loopback(&peer.address) ? NET_VERDICT_ALLOW : NET_VERDICT_REFUSE;
}

void
net_name_add_forms(const char *canonical_name, const char *const *search_domains,
		   struct strv *names)
{
	size_t length = strlen(canonical_name);

	strv_add(names, canonical_name);
	for (; search_domains != NULL && *search_domains != NULL; search_domains++) {
		size_t suffix = strlen(*search_domains);

		if (suffix > 0 && length > suffix + 1 &&
		    canonical_name[length - suffix - 1] == '.' &&
		    str_ends_with(canonical_name, *search_domains))
			strv_take(names, mem_strndup(canonical_name, length - suffix - 1));
	}
}

/* Whether some port of first to last is denied by no rule. */
static bool
leaves_a_port(const struct net_rules *deny, uint32_t first, uint32_t last, const struct peer *peer)
{
	size_t i = 0;

	while (i < deny->count && first <= last) {
		const struct net_rule *rule = &deny->items[i++];

		if (net_rule_matches_port(rule, (uint16_t)first) && deny_matches(rule, peer)) {
			first = rule->port_last + 1U;
			i = 0;
		}
	}
	return first <= last;
}

/* Whether a connect to the peer could be allowed on some port, own listeners left out. */
static bool
is_peer_reachable(const struct policy *policy, const struct peer *peer)
{
	switch (policy->net_mode) {
	case NET_MODE_FULL:
	case NET_MODE_OUTBOUND:
		return leaves_a_port(&policy->deny_net, 1, UINT16_MAX, peer);
	case NET_MODE_RULES:
		break;
	case NET_MODE_LOOPBACK_ONLY:
	case NET_MODE_BLOCKED:
	case NET_MODE_COUNT:
		return false;
	}
	for (size_t i = 0; i < policy->allow_net.count; i++) {
		const struct net_rule *rule = &policy->allow_net.items[i];

		if (allow_matches(policy, rule, peer) &&
		    leaves_a_port(&policy->deny_net, rule->port_first, rule->port_last, peer))
			return true;
	}
	return false;
}

/* As is_peer_reachable, for a name with its forms; `address` may be NULL. */
static bool
is_name_reachable(const struct policy *policy, const char *canonical_name,
		  const char *const *search_domains, const struct net_address *address)
{
	struct strv names = STRV_INIT;
	struct peer peer;
	bool reachable;

	net_name_add_forms(canonical_name, search_domains, &names);
	peer_init(&peer, address, (const char *const *)names.items, names.count);
	/* localhost leads to own listeners, or to the whole of loopback. */
	if (is_localhost(canonical_name) && policy->net_mode != NET_MODE_BLOCKED)
		reachable = (address == NULL || net_address_is_loopback(&peer.address)) &&
			    leaves_a_port(&policy->deny_net, 1, UINT16_MAX, &peer);
	else
		reachable = is_peer_reachable(policy, &peer);
	strv_done(&names);
	return reachable;
}

bool
net_decide_name(const struct policy *policy, const char *canonical_name,
		const char *const *search_domains)
{
	return is_name_reachable(policy, canonical_name, search_domains, NULL);
}

bool
net_decide_answer(const struct policy *policy, const char *canonical_name,
		  const char *const *search_domains, const struct net_address *address)
{
	return is_name_reachable(policy, canonical_name, search_domains, address);
}
