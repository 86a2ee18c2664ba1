/*
 * The stages that the command's process goes through between the mounts and its
 * execution. Each can only take away; their order is fixed in init.c.
 */
#ifndef PORTA_SANDBOX_LINUX_CONFINE_H
#define PORTA_SANDBOX_LINUX_CONFINE_H

#include "sandbox/plan.h"
#include "util/error.h"

/* A Landlock ruleset's descriptor for the plan's grants, or -1 with 0 where the kernel has no Landlock. */
int confine_make_ruleset(const struct plan *plan, int *ret_ruleset_fd, struct error *err);

/*
 * Encloses the calling process and what it will start in a domain that their signals do not leave; sets NO_NEW_PRIVS.
 * -EOPNOTSUPP before ABI 6.
 */
int confine_signals(int landlock_abi);

/* rlimits, none higher than porta's own. May still do everything afterwards, within them. */
int confine_limits(const struct plan *plan, struct error *err);
/*
 * Gives up every capability, or as root all but those on files and ids, and every
 * way to get one back. May still make namespaces and change its own confinement.
 */
int confine_capabilities(const struct plan *plan, struct error *err);
/* Enters the ruleset. No file is opened for writing outside the grants from here on. */
int confine_landlock(int ruleset_fd, struct error *err);

/*
 * For the broker as root: drops every capability. In the lower tiers it keeps those that the programs inside have: the
 * kernel gives it no descriptor of a process with more than its own, and it may have to end them.
 */
int confine_broker(const struct plan *plan);

#endif
