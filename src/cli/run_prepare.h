/* What `porta run` and `porta explain` do alike: from a command line to the command. */
#ifndef PORTA_CLI_RUN_PREPARE_H
#define PORTA_CLI_RUN_PREPARE_H

#include <stdbool.h>

#include "cli/run_options.h"
#include "sandbox/sandbox.h"
#include "util/error.h"

struct run_prepared {
	struct strv argv;
	struct strv environment;
	struct sandbox_command command; /* points into the above, and into the options */
};

#define RUN_PREPARED_INIT { .argv = STRV_INIT, .environment = STRV_INIT }

void run_prepared_done(struct run_prepared *prepared);
/*
 * The native command of a parsed command line. Returns 0, or -EINVAL and a sentence where a flag is
 * not for native commands. `ret_prepared` is RUN_PREPARED_INIT.
 */
int run_prepare(const struct run_options *options, struct run_prepared *ret_prepared,
		struct error *err);

/* Whether the target is a WASM agent: by its name. */
bool run_is_agent(const struct run_options *options);

#endif
