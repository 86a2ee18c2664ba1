/* What `porta run` and `porta explain` do alike: from a command line to its plan. */
#ifndef PORTA_CLI_RUN_PREPARE_H
#define PORTA_CLI_RUN_PREPARE_H

#include "cli/run_options.h"
#include "sandbox/machine.h"
#include "sandbox/plan.h"
#include "util/error.h"
#include "util/exit_code.h"

/*
 * Makes the plan of a parsed command line; nothing is changed or started. Returns EXIT_CODE_OK, or
 * the exit code that porta is to end with, and a sentence. `ret_plan` is initialised by
 * the caller with plan_init.
 */
enum exit_code run_prepare(const struct run_options *options, const struct machine *machine,
			   struct plan *ret_plan, struct error *err);

#endif
