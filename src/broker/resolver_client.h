/*
 * The broker's side of porta-resolver: starts it at the first need, takes
 * datagram sockets from it for the sandbox, decides on each name, and remembers
 * which addresses the sandbox was told for which names.
 */
#ifndef PORTA_BROKER_RESOLVER_CLIENT_H
#define PORTA_BROKER_RESOLVER_CLIENT_H

#include <stddef.h>

#include "broker/loop.h"
#include "broker/violations.h"
#include "policy/net_rule.h"
#include "policy/policy.h"
#include "util/error.h"

/* Names remembered for one address, and addresses in all: the sandbox can ask for many. */
#define RESOLVER_NAMES_PER_ADDRESS_MAX 16
#define RESOLVER_ADDRESSES_MAX 65536

struct resolver_client;

/* Cheap: nothing is started yet. */
struct resolver_client *resolver_client_new(const struct policy *policy, struct loop *loop,
					    struct violations *violations);
void resolver_client_free(struct resolver_client *client);

/*
 * A datagram socket (AF_INET or AF_INET6) in the private, empty network namespace where
 * porta answers DNS on 127.0.0.1:53 and [::1]:53. `flags` are SOCK_NONBLOCK (close-on-exec
 * is always set on the broker's copy). Starts the resolver if need be. Returns a
 * descriptor that the caller owns, or a negative errno.
 */
int resolver_client_socket(struct resolver_client *client, int family, int flags,
			   struct error *err);
/* A connected stream socket to the resolver's DNS over TCP on 127.0.0.1:53 of its namespace, for tiers without UDP. */
int resolver_client_stream(struct resolver_client *client, struct error *err);

/*
 * The canonical names for which the sandbox may have learned this address: from answers, and from
 * /etc/hosts (read once). Points into the client, valid until the loop runs on.
 */
size_t resolver_client_names(struct resolver_client *client, const struct net_address *address,
			     const char *const **ret_names);
/*
 * The text of the resolv.conf that the sandbox sees: nameserver 127.0.0.1, and the host's
 * search and options lines. The caller frees it. Pure but for reading the host's file.
 */
char *resolver_client_resolv_conf(const char *host_resolv_conf);

#endif
