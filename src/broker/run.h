/* A command in a sandbox, from policy to exit code: plans, runs, and plans again where a plan came to nothing. */
#ifndef PORTA_BROKER_RUN_H
#define PORTA_BROKER_RUN_H

#include "broker/broker.h"
#include "policy/policy.h"
#include "sandbox/sandbox.h"
#include "util/error.h"

/*
 * Runs `command` to its end; the caller's process is its broker. Returns the exit code of the run
 * as broker_run does, or minus the exit code (util/exit_code.h) that porta is to end with, and a sentence.
 * `kept_fds` descriptors from 3 on are handed in as they are.
 */
int run_command(const struct policy *policy, const struct sandbox_command *command, int kept_fds,
		const struct broker_options *options, struct error *err);

/* Makes the plan alone, as run_command does at first: 0, or minus the exit code and a sentence. */
int run_plan(const struct policy *policy, const struct sandbox_command *command,
	     const struct machine *machine, struct plan *ret_plan, struct error *err);

#endif
