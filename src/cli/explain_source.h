/* What `porta explain` says beside policy and plan: where it comes from, and what porta itself does outside. */
#ifndef PORTA_CLI_EXPLAIN_SOURCE_H
#define PORTA_CLI_EXPLAIN_SOURCE_H

#include "cli/run_options.h"
#include "util/strings.h"

/* Lines in the form of policy_explain's: the porta.toml, what is run, the file of --report, what [serve] says. */
void explain_put_source(const struct run_options *options, struct strbuf *out);
/* The same as members: "project", "report" (a path or null), "run" (the target and its arguments), "serve" (an object). */
void explain_put_source_json(const struct run_options *options, struct strbuf *out);

#endif
