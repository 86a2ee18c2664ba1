/* Which addresses the sandbox may have learned for which names, by DNS and by /etc/hosts. */
#ifndef PORTA_BROKER_KNOWN_NAMES_H
#define PORTA_BROKER_KNOWN_NAMES_H

#include <stddef.h>

#include "policy/net_rule.h"
#include "policy/policy.h"

/* Names remembered for one address, the newest; the sandbox can ask for many. */
#define KNOWN_NAMES_PER_ADDRESS_MAX 16
/* Pairs of a name and an address; beyond it the oldest answer is forgotten, no line of hosts. */
#define KNOWN_NAMES_MAX 65536
/* Pairs that /etc/hosts may give. */
#define KNOWN_NAMES_HOSTS_MAX 16384

struct known_names;

struct known_names *known_names_new(void);
void known_names_free(struct known_names *known);
/*
 * Reads the text of a hosts(5) file. Only names that a rule of the policy names are kept.
 * To be called before anything else is added.
 */
void known_names_add_hosts(struct known_names *known, const char *text,
			   const struct policy *policy);
/* Remembers a canonical name, once, as the newest. */
void known_names_add(struct known_names *known, const struct net_address *address,
		     const char *name);
/* The newest names of an address; the list is valid until the next call of any of these. */
size_t known_names_get(struct known_names *known, const struct net_address *address,
		       const char *const **ret_names);

#endif
