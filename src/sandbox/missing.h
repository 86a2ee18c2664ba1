/*
 * What a machine cannot keep of one policy: collected while the plan is made, then refused as a whole, or
 * accepted by --degrade.
 */
#ifndef PORTA_SANDBOX_MISSING_H
#define PORTA_SANDBOX_MISSING_H

#include "policy/policy.h"
#include "sandbox/machine.h"
#include "sandbox/plan.h"
#include "util/error.h"

struct missing {
	char *why[GUARANTEE_COUNT]; /* NULL: kept */
};

void missing_done(struct missing *missing);
/* `why` is copied: half a sentence, "the host's processes show in /proc". The first one of a guarantee stays. */
void missing_add(struct missing *missing, enum guarantee guarantee, const char *why);
/*
 * Notes in plan->not_kept what is missing, where --degrade accepts all of it. Else -EOPNOTSUPP with one sentence: each
 * missing guarantee, why, and the one flag that accepts exactly these.
 */
int missing_check(const struct missing *missing, const struct policy *policy,
		  const struct machine *machine, struct plan *plan, struct error *err);
/* "protected, processes": what plan->not_kept holds; the caller frees it. NULL where all is kept. */
char *missing_names(const bool not_kept[GUARANTEE_COUNT], const char *separator);

#endif
