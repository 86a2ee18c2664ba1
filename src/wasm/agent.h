/*
 * A WASM agent, from its file to the end of its run: what it says of itself, what it is granted,
 * its code, its worker, and what it asks of porta.
 */
#ifndef PORTA_WASM_AGENT_H
#define PORTA_WASM_AGENT_H

#include <stddef.h>

#include "broker/broker.h"
#include "config/manifest.h"
#include "policy/policy.h"
#include "util/error.h"
#include "wasm/cache.h"
#include "wasm/code.h"
#include "wasm/facts.h"
#include "wasm/module.h"
#include "wasm/protocol.h"

/* Of what a worker says of an end. */
#define AGENT_SENTENCE_BYTES_MAX ((size_t)16 * 1024)

enum agent_use {
	AGENT_RUN,
	AGENT_SERVE,
};

struct agent {
	const char *path;
	enum agent_use use;
	const struct policy *policy;
	struct module module;
	struct facts facts;
	struct manifest manifest; /* the file beside the module, else its custom section, else empty */
	bool has_manifest;
	capability_set granted;
	struct cache cache;
	struct cache_entry code;
	int ended_by;	   /* the signal that ended the run; 0: none */
	struct strv notes; /* sentences that a person should hear, of what does not end the run */
};

void agent_init(struct agent *agent, const char *path, const struct policy *policy);
void agent_done(struct agent *agent);

/*
 * Opens the module, and reads the manifest beside it. Returns 0, or minus the exit code that porta
 * is to end with, and a sentence.
 */
int agent_open(struct agent *agent, struct error *err);
/* Reads what the module says of itself, and checks all of it; nothing is compiled. As agent_open. */
int agent_inspect(struct agent *agent, struct error *err);
/* The capabilities granted: --profile or --cap, else the manifest's, else `otherwise`. */
capability_set agent_granted(const struct agent *agent, capability_set otherwise);
/* Whether it imports what reaches a file and is granted that: then its worker runs in a native sandbox. */
bool agent_reaches_files(const struct agent *agent);
/* Why `facts` cannot be an agent at all: minus EXIT_CODE_BAD_MODULE and a sentence, or 0. */
int agent_check_facts(const struct agent *agent, struct error *err);

/*
 * After agent_open: reads the facts, judges them (what --profile, --cap or the manifest grant, else
 * `use` says: all for running, ai-agent for serving), and gets the code. As agent_open.
 */
int agent_load(struct agent *agent, const struct code_watch *watch, struct error *err);
/* Code that does not load here, made for another processor, is of no use. */
void agent_forget_code(struct agent *agent);

/* What a worker for the agent is told, and the native sandbox that it needs. */
struct agent_config {
	struct protocol_config config;
	bool has_sandbox;
	struct policy sandbox; /* shares its texts with the agent's policy */
};

#define AGENT_CONFIG_INIT { .config = PROTOCOL_CONFIG_INIT }

/* After agent_load. 0 or a negative errno and a sentence; agent_config_done in each case. */
int agent_configure(const struct agent *agent, char *const *arguments, size_t arguments_count,
		    struct agent_config *ret_config, struct error *err);
void agent_config_done(struct agent_config *config);

/* The code of an exit, at most 255; for each other end minus porta's exit code, and a sentence. */
int agent_judge_end(const struct protocol_end *result, struct error *err);

struct agent_run {
	const struct broker_options *broker;
	char *const *arguments; /* behind the module's name */
	size_t arguments_count;
};

/*
 * After agent_open: runs the agent with porta's own standard streams. Returns its exit code, at
 * most 255, or minus the exit code that porta is to end with, and a sentence of what ended it.
 */
int agent_run(struct agent *agent, const struct agent_run *run, struct error *err);

#endif
