/*
 * porta.toml as options: each key goes the way of the flag that has it (run_options.h), so a file means what the same
 * command line would. docs/porta-toml.md has the keys.
 */
#ifndef PORTA_CLI_PROJECT_OPTIONS_H
#define PORTA_CLI_PROJECT_OPTIONS_H

#include <stdbool.h>

#include "cli/run_options.h"
#include "util/error.h"

/* At least as many as the table of flags has. */
#define PROJECT_OPTIONS_MAX 64

/*
 * Reads options->project_path, or else the nearest porta.toml, into `options`: target, arguments and policy. A flag
 * that may come once and is `given` (by its index in the table) on the command line counts instead of the file's.
 * Returns 0, or a negative errno with a sentence, mostly "porta.toml:LINE:COLUMN: ..."; -ENOENT only where none is named
 * and none found.
 */
int project_options_load(struct run_options *options, const bool given[PROJECT_OPTIONS_MAX], struct error *err);

#endif
