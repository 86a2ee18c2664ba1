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

/*
 * Runs the plan to its end. Returns the exit code of the run (the command's, 128 + N, or
 * one of enum exit_code), or a negative errno with a sentence when porta itself failed.
 */
int broker_run(const struct policy *policy, struct plan *plan, const struct broker_options *options,
	       struct error *err);

#endif
