/*
 * What a policy says to one network request. Pure functions over data that the
 * broker gathered; every back end and `porta explain` ask these.
 */
#ifndef PORTA_POLICY_NET_DECIDE_H
#define PORTA_POLICY_NET_DECIDE_H

#include "policy/net_rule.h"
#include "policy/policy.h"

enum net_verdict {
	NET_VERDICT_ALLOW,
	/* Only if the listener that answers there is the sandbox's own. */
	NET_VERDICT_OWN_LISTENER,
	/* Listening only: bind to the loopback address of the same family instead. */
	NET_VERDICT_MAKE_LOOPBACK,
	NET_VERDICT_REFUSE,
	NET_VERDICT_COUNT,
};

/*
 * A TCP connect, or a datagram's destination. `names` are the canonical names, as asked,
 * for which this sandbox was told this address (resolver, /etc/hosts); `names_count` may
 * be 0; one that a search domain was put behind is given twice, whole and as
 * net_name_add_forms shortens it. --deny-net wins over everything: by address, by the
 * IPv4 address that an IPv6 one carries (NAT64, 6to4), and by each of the names.
 * The wildcard address is judged as the loopback one, where a connect to it arrives; and a rule
 * "0.0.0.0:80" or "[::]:80" admits 127.0.0.1 or ::1, as it stands for either, and denies all of
 * loopback, as localhost does. ("0.0.0.0/0:80" is every address.)
 *
 *	full, outbound	allow everything, but for --deny-net
 *	loopback_only	loopback addresses
 *	blocked		nothing
 *	rules		what a rule admits; else OWN_LISTENER for loopback, and REFUSE
 *
 * "*" admits public and private addresses, never loopback, link-local, metadata or
 * multicast: those need a rule that names them as an address or CIDR (of a network that
 * is at most as large as the class's own range). A NAME or SUFFIX rule admits an address
 * of its names only if it is public, or, with allow_private, also private, loopback or
 * link-local; metadata never by name, only by its exact address.
 *
 * The names localhost and *.localhost are loopback (RFC 6761): a rule "localhost:3000"
 * admits 127.0.0.1 and ::1 on that port without --allow-private, and denies all of
 * loopback (127.0.0.2 reaches the same services). An address outside that merely carries a
 * loopback one (64:ff9b::7f00:1) is never taken for loopback itself.
 *
 * *ret_rule (may be NULL) is the rule that decided, NULL if none did.
 */
enum net_verdict net_decide_connect(const struct policy *policy, const struct net_address *address,
				    uint16_t port, const char *const *names, size_t names_count,
				    const struct net_rule **ret_rule);

/*
 * A bind or listen of an internet socket. Port 0 means any. full: allow. outbound, loopback_only, rules:
 * loopback is allowed, the wildcard address is MAKE_LOOPBACK, others REFUSE; but under
 * `rules` and `outbound`, an address and port that an --allow-bind rule matches is allowed
 * ("*" in --allow-bind does mean the wildcard and every address). blocked: REFUSE.
 */
enum net_verdict net_decide_bind(const struct policy *policy, const struct net_address *address,
				 uint16_t port);

/*
 * Whether a DNS question for this canonical name may be asked at all: some allow rule
 * names it or is "*" (under full and outbound: always), for a port that no deny rule of the
 * name refuses. Search domains are the caller's: `search_domains` (NULL-terminated, canonical,
 * may be NULL) make a rule for "db" match "db.corp.example" where "corp.example" is one of
 * them. localhost may be asked wherever loopback can be reached at all; nothing needs to leave for it.
 */
bool net_decide_name(const struct policy *policy, const char *canonical_name,
		     const char *const *search_domains);
/* Whether an answer with this address may be given to the sandbox for that name (by the ranges above). */
bool net_decide_answer(const struct policy *policy, const char *canonical_name,
		       const char *const *search_domains, const struct net_address *address);
/*
 * Adds to `names` the forms that rules may know a name by: itself, and what is left of it before each
 * of `search_domains` (canonical, NULL-terminated, may be NULL): "db.corp.example" and "db".
 */
void net_name_add_forms(const char *canonical_name, const char *const *search_domains,
			struct strv *names);

#endif
