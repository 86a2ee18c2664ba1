/* The steps of loading an agent, which a child process and the server may share; edition.h is the outside. */
#ifndef PORTA_MCP_EDITION_INTERNAL_H
#define PORTA_MCP_EDITION_INTERNAL_H

#include "mcp/edition.h"

/* With nothing in it; one user. */
struct edition *edition_new(const struct edition_settings *settings);
/*
 * Waits for all that takes its time: reads the module, gets its code, configures, starts a worker that is ready,
 * and asks it what it offers. 0, or minus the exit code and a sentence. `worker` may be of no use after all
 * (its pid -1); the caller ends it.
 */
int edition_find(struct edition *edition, const struct edition_settings *settings,
		 struct worker *worker, struct strbuf *ret_description, struct error *err);
/* What workers are told, and what the agent may have. Of edition_find, a part. */
int edition_configure(struct edition *edition, const struct edition_settings *settings,
		      struct error *err);
/* What it offers, and a pool without workers. */
int edition_complete(struct edition *edition, const struct edition_settings *settings,
		     const struct strbuf *description, struct error *err);

#endif
