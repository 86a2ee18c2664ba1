/* porta run agent.wasm; in a build without WASM, a sentence that says so. */
#ifndef PORTA_CLI_RUN_AGENT_H
#define PORTA_CLI_RUN_AGENT_H

#include "cli/run_options.h"

/* Runs the agent that the options name. Returns the exit code to end with; reports its own errors. */
int run_agent(const struct run_options *options);

/*
 * What that run would do, as `porta explain` shows it: the policy, what the agent is granted and
 * sees, and the sandbox of its worker. Returns 0, or minus the exit code and a sentence.
 */
int explain_agent(const struct run_options *options, struct strbuf *out, struct error *err);

#endif
