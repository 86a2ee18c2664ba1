/*
 * The broker: the trusted process outside a running sandbox. It answers what the
 * seccomp filter traps, feeds the descriptors that could not be handed in, passes signals and the terminal on, and
 * tells what was refused. Its death ends the sandbox.
 */
#ifndef PORTA_BROKER_BROKER_H
#define PORTA_BROKER_BROKER_H

#include <stdbool.h>

#include "policy/policy.h"
#include "sandbox/plan.h"
#include "util/error.h"

struct broker_options {
	const char *report_path; /* --report FILE, or NULL */
	bool quiet;
};

struct stdio_pumps;

/*
 * Adds to a plan what the broker knows: the descriptors 0-2, and the resolv.conf of a closed
 * network. broker_run does this itself; `porta explain` calls it to print the whole plan, and
 * frees *ret_pumps with stdio_free.
 */
int broker_complete_plan(const struct policy *policy, struct plan *plan,
			 struct stdio_pumps **ret_pumps, struct error *err);

/*
 * Runs the plan to its end. Returns the exit code of the run (the command's, 128 + N, or
 * EXIT_CODE_TIMEOUT), or a negative errno with a sentence: -EACCES where the command cannot be
 * executed (exit 126), -EOPNOTSUPP where user namespaces cannot be made or used: then nothing has
 * run and nothing is left, and a plan without them may follow; another where porta itself failed.
 */
int broker_run(const struct policy *policy, struct plan *plan, const struct broker_options *options,
	       struct error *err);

#endif
