/* porta's own directories, which are never writable inside. */
#ifndef PORTA_SANDBOX_LINUX_PLAN_OWN_H
#define PORTA_SANDBOX_LINUX_PLAN_OWN_H

#include "sandbox/linux/mount_table.h"
#include "sandbox/linux/plan_paths.h"
#include "sandbox/plan.h"
#include "util/error.h"

/*
 * Makes porta's data, state and cache directories read-only by every path that the plan leaves writable,
 * those of the environment and those of each home. What a later run finds there is believed. -EINVAL where
 * -v itself names one of them, or what lies in it, without ":ro".
 */
int plan_own(struct plan *plan, const struct plan_homes *homes, const struct mount_table *table,
	     struct error *err);

#endif
