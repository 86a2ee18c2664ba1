/*
 * The command's environment: an allowlist of the host's, and what -e, --env-file,
 * --secret and --inherit-env add, in the order given; the last one of a name wins.
 */
#ifndef PORTA_POLICY_ENV_H
#define PORTA_POLICY_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "util/strings.h"

#define ENV_ENTRIES_MAX 4096
#define ENV_VALUE_MAX_BYTES (128 * 1024) /* the kernel's MAX_ARG_STRLEN for one string */

enum env_entry_kind {
	ENV_ENTRY_SET,	  /* -e KEY=VALUE, --env-file */
	ENV_ENTRY_PASS,	  /* -e KEY: the host's value, if it has one */
	ENV_ENTRY_SECRET, /* --secret KEY=VALUE: never shown anywhere */
	ENV_ENTRY_KIND_COUNT,
};

struct env_entry {
	enum env_entry_kind kind;
	char *key;
	char *value; /* NULL for PASS */
	char *source; /* the variable of the host that it was read from, where that has another name; else NULL */
};

struct env_request {
	struct env_entry *entries;
	size_t count;
	size_t capacity;
	bool inherit; /* --inherit-env: the whole environment of the host */
};

void env_request_done(struct env_request *env); /* wipes the secrets */
/* "KEY=VALUE" or "KEY"; KEY is [A-Za-z_][A-Za-z0-9_]*. -EINVAL with the right form. */
int env_request_add(struct env_request *env, const char *text, struct error *err);
/* "KEY=VALUE"; the message never holds the value. */
int env_request_add_secret(struct env_request *env, const char *text, struct error *err);
/* Whether a variable of the host, "KEY" or "KEY=VALUE", is passed without being asked for (PATH, HOME, LC_*, ...). */
bool env_is_allowed(const char *key);
/* NULL-terminated list of the names and prefixes ("LC_*") that env_is_allowed knows, for explain. */
extern const char *const env_allowed_names[];

/*
 * Builds the environment, "KEY=VALUE" each, from `host` (as environ; NULL is empty) and adds the markers
 * PORTA_SANDBOX=1, PORTA_SANDBOX_NETWORK=<network_name> and the same two as PORTBAY_*.
 * Names that steer the dynamic loader (LD_*, GLIBC_TUNABLES, ...) are no exception with
 * --inherit-env: they reach the command only, never porta. Malformed entries of the host
 * (no "=", no name) are left out.
 */
void env_build(const struct env_request *env, char *const *host, const char *network_name,
	       struct strv *ret_environment);
/* The environment of a WASM agent: what was asked for and nothing else, no allowlist, no markers. */
void env_build_guest(const struct env_request *env, char *const *host, struct strv *ret_environment);

#endif
