/*
 * The seccomp filter: tables made at build time by filter_generate.c, one for
 * each combination that a plan can ask for. What each lets pass, refuses and
 * traps is told in filter_rules.h.
 */
#ifndef PORTA_SANDBOX_LINUX_FILTER_H
#define PORTA_SANDBOX_LINUX_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox/plan.h"

struct filter_choice {
	enum sandbox_tier tier;
	enum plan_filter_network network;
	bool allow_userns;
};

/* The program for a choice; static storage, never NULL. *ret_length counts instructions. */
const struct sock_filter *filter_table(const struct filter_choice *choice, size_t *ret_length);

/*
 * Installs it on the calling thread, and so on all that it will start; NO_NEW_PRIVS must be
 * set. Returns 0 or a negative errno: with `wait_killable` -EINVAL where the kernel lacks
 * that flag, and never a weaker filter. *ret_listener_fd is close-on-exec and the caller's;
 * -1 for SANDBOX_TIER_PORTS, which has none.
 */
int filter_install(const struct filter_choice *choice, bool wait_killable, int *ret_listener_fd);

#endif
