/*
 * What a WASM agent may be granted, and what each function that it can import needs: one table.
 * Functions and their names: WASI preview 1 (wasi_snapshot_preview1), 46 functions; the module
 * `porta` is the agent protocol's (three functions).
 */
#ifndef PORTA_POLICY_CAPABILITY_H
#define PORTA_POLICY_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "util/strings.h"

enum capability {
	CAPABILITY_IO,	     /* "io": stdin, stdout, stderr, and porta.emit */
	CAPABILITY_FS,	     /* "fs": reading what -v names */
	CAPABILITY_FS_WRITE, /* "fs.write": changing it too, where it is not read-only */
	CAPABILITY_PROCESS,  /* "process": arguments, ending itself, yielding */
	CAPABILITY_ENV,	     /* "env": its environment variables */
	CAPABILITY_CLOCK,    /* "clock": clocks, waiting */
	CAPABILITY_RANDOM,   /* "random": random bytes */
	CAPABILITY_NET,	     /* "net": sockets, porta.http_request */
	CAPABILITY_EXEC,     /* "exec": porta.exec_command */
	CAPABILITY_COUNT,
};

/* A set: bit 1 << capability. */
typedef unsigned int capability_set;

const char *capability_name(enum capability capability);
/* "io,fs": at least one, no empty word. -EINVAL with a sentence that lists the names. */
int capability_parse_list(const char *text, capability_set *ret_set, struct error *err);
/* "ai-agent" (io, process), "worker" (+ clock, random), "full" (all). -EINVAL lists the names. */
int capability_profile(const char *name, capability_set *ret_set, struct error *err);
/* The profiles' names from the least to the most; NULL behind the last. */
const char *capability_profile_name(size_t index);
/* "io, process"; "none" for the empty set. */
void capability_put_set(struct strbuf *out, capability_set set);

enum import_kind {
	IMPORT_KNOWN,		 /* a function of the table: `capability` says what it needs */
	IMPORT_UNKNOWN_FUNCTION, /* a module of the table has no such function */
	IMPORT_OLD_WASI,	 /* "wasi_unstable", preview 0 */
	IMPORT_COMPONENT,	 /* "wasi:...": an interface of the component model */
	IMPORT_OTHER_MODULE,	 /* "env", "wasi_ephemeral_nn", ... */
	IMPORT_NOT_FUNCTION,	 /* a memory, table, global or tag */
};

struct import_verdict {
	enum import_kind kind;
	enum capability capability; /* for IMPORT_KNOWN */
};

/* What the import `module`.`name` is; both are the module's own bytes, not yet fit to be printed. */
void capability_of_import(const char *module, const char *name, bool is_function,
			  struct import_verdict *ret_verdict);
/*
 * One sentence of why an import is refused under `granted`, with the function, the capability that it
 * needs and the flag that grants it (or what the unknown module is); false where it is not refused.
 */
bool capability_refusal(const char *module, const char *name, bool is_function,
			capability_set granted, struct strbuf *out);

/* The whole table, for docs and tests; ends with a NULL name. */
struct capability_function {
	const char *module;
	const char *name;
	enum capability capability;
};
extern const struct capability_function capability_functions[];

#endif
