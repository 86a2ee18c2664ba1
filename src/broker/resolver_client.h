/*
 * The broker's side of porta-resolver: starts it at the first need, takes
 * datagram sockets from it for the sandbox, decides on each name, and remembers
 * which addresses the sandbox was told for which names.
 */
#ifndef PORTA_BROKER_RESOLVER_CLIENT_H
#define PORTA_BROKER_RESOLVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/known_names.h"
#include "broker/loop.h"
#include "broker/violations.h"
#include "policy/net_rule.h"
#include "policy/policy.h"
#include "util/error.h"

/* How often a run starts the resolver; one that ends was crashed by what it read. */
#define RESOLVER_STARTS_MAX 8

struct resolver_client;

/* Cheap: nothing is started yet. */
struct resolver_client *resolver_client_new(const struct policy *policy, struct loop *loop,
					    struct violations *violations);
/* Ends the resolver too. */
void resolver_client_free(struct resolver_client *client);

/*
 * A datagram socket (AF_INET or AF_INET6) in the private, empty network namespace where
 * porta answers DNS on 127.0.0.1:53 and [::1]:53. `flags` are SOCK_NONBLOCK (close-on-exec
 * is always set on the broker's copy). Starts the resolver if need be. Returns a
 * descriptor that the caller owns, or a negative errno: -EPROTONOSUPPORT where the
 * resolver cannot run or the machine allows no such namespace, which is remarked.
 */
int resolver_client_socket(struct resolver_client *client, int family, int flags,
			   struct error *err);
/*
 * Whether a TCP connect to this address is one to a DNS server that porta stands for:
 * port 53 of 127.0.0.1, of ::1, or of a nameserver in the host's resolv.conf.
 */
bool resolver_client_is_server(struct resolver_client *client, const struct net_address *address,
			       uint16_t port);
/*
 * Connects a TCP socket (of the sandbox, not connected yet; AF_INET or AF_INET6) to the
 * resolver, which answers DNS over TCP on it. It needs no namespace. The socket's
 * peer is a port of loopback that nobody else can connect to. Returns 0 or a negative errno.
 */
int resolver_client_connect_stream(struct resolver_client *client, int socket_fd,
				   struct error *err);
/* The same with a new AF_INET socket, which the caller owns. */
int resolver_client_stream(struct resolver_client *client, struct error *err);

/*
 * The canonical names for which the sandbox may have learned this address: from answers, and from
 * /etc/hosts (read once). Points into the client, valid until the loop runs on. A name that a
 * search domain was put behind is there whole and as net_name_add_forms shortens it.
 */
size_t resolver_client_names(struct resolver_client *client, const struct net_address *address,
			     const char *const **ret_names);
/*
 * The text of the resolv.conf that the sandbox sees: nameserver 127.0.0.1, and what the
 * host's file (its text) says of search domains and options. The caller frees it. Pure.
 */
char *resolver_client_resolv_conf(const char *host_resolv_conf);

#endif
