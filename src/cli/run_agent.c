/* porta run agent.wasm; see run_agent.h. */
#include "cli/run_agent.h"

#include <stdio.h>

#include "broker/terminal.h"
#include "cli/output.h"
#include "wasm/agent.h"

static void
print_notes(const char *command_name, const struct strv *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		fprintf(stderr, "porta: %s: %s\n", command_name, notes->items[i]);
}

int
run_agent(const struct run_options *options)
{
	const struct agent_run run = { .broker = &options->broker,
				       .arguments = options->arguments,
				       .arguments_count = options->arguments_count };
	struct error err = ERROR_INIT;
	struct agent agent;
	int r;

	agent_init(&agent, options->target, &options->policy);
	r = agent_open(&agent, &err);
	if (r == 0)
		r = agent_run(&agent, &run, &err);
	if (!options->broker.quiet)
		print_notes(options->command_name, &agent.notes);
	agent_done(&agent);
	/* A shell's loop goes on after any mere exit code. */
	terminal_end_by_signal(agent.ended_by);
	return r < 0 ? output_fail(options->command_name, &err, -r) : r;
}
