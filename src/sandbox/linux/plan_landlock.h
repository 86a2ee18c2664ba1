/*
 * The plan of the lower tiers, where there are no mounts: what is named and hidden becomes Landlock grants.
 *
 * Landlock grants and never takes away: a right that a directory has, everything beneath it has. So what is hidden gets
 * no right to be read by granting it to its neighbours one by one, on every level from the root down; and a hidden or
 * read-only part of a writable directory cannot be had. What a program outside puts on such a level during the run,
 * beside what is hidden, is unreadable inside.
 */
#ifndef PORTA_SANDBOX_LINUX_PLAN_LANDLOCK_H
#define PORTA_SANDBOX_LINUX_PLAN_LANDLOCK_H

#include "policy/policy.h"
#include "sandbox/missing.h"
#include "sandbox/plan.h"
#include "util/error.h"

/* Neighbours that are granted; the kernel looks at each rule's inode alone, so that many cost little at run time. */
#define PLAN_READ_GRANTS_MAX 32768

/*
 * Turns the mounts of a plan that was made as for the first tier into grants. Of the mounts stay those that -v and /tmp
 * asked for, and the masks that hold, for explain and the broker; protected names and watches go. `readable` are
 * the trees that may be read, each but for what is hidden in it; `unreadable` is what a tree in them that begins above
 * it leaves out (/dev, a hidden home). Adds to `missing` what of the policy cannot be had so.
 */
void plan_landlock(struct plan *plan, const struct strv *readable, const struct strv *unreadable,
		   struct missing *missing);

/*
 * SANDBOX_TIER_PORTS: the network policy as ports for Landlock. -EOPNOTSUPP for a rule that says more than
 * "*:PORT": nothing could be made of it.
 */
int plan_ports(struct plan *plan, const struct policy *policy, struct missing *missing,
	       struct error *err);

#endif
