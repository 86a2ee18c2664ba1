/*
 * What porta and porta-engine say to each other, and the descriptors that a worker is born with.
 *
 *     role      porta sends                 the worker sends
 *     inspect   CONFIG                      FACTS or INVALID
 *     compile   CONFIG, GO                  FACTS or INVALID; COMPILED or INVALID
 *     run       CONFIG, REPLY...            HOST_CALL..., RESULT
 *     serve     CONFIG, (CALL, REPLY...)... READY or RESULT, (HOST_CALL..., RESULT)...
 *
 * FAILED instead of any of them: the worker cannot confine itself or set up what CONFIG says.
 */
#ifndef PORTA_WASM_PROTOCOL_H
#define PORTA_WASM_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/capability.h"
#include "util/strings.h"

/* Part of the name of compiled code: to be changed with what engine/settings.c sets. */
#define PROTOCOL_SETTINGS_VERSION "1"

#define PROTOCOL_CONTROL_FD 3
/* The module (inspect, compile) or its compiled code (run, serve). */
#define PROTOCOL_CODE_FD 4
/* Where compiled code goes (compile). */
#define PROTOCOL_OUTPUT_FD 5

enum message_kind {
	MESSAGE_CONFIG = 1,
	MESSAGE_GO,
	MESSAGE_FACTS,	   /* JSON, as facts.h reads it */
	MESSAGE_INVALID,   /* a sentence that goes on "the module ..." */
	MESSAGE_COMPILED,  /* empty: the code is in PROTOCOL_OUTPUT_FD, and all of it */
	MESSAGE_READY,	   /* empty */
	MESSAGE_CALL,	   /* the entry ("": config's), NUL, and what the guest reads */
	MESSAGE_HOST_CALL, /* a uint32_t, enum host_function, and the request */
	MESSAGE_REPLY,	   /* a uint32_t, 0: the response follows, 1: the request is no JSON */
	MESSAGE_RESULT,	   /* struct protocol_result, a sentence, and what the guest wrote (serve) */
	MESSAGE_FAILED,	   /* a sentence */
};

enum worker_role {
	WORKER_INSPECT,
	WORKER_COMPILE,
	WORKER_RUN,
	WORKER_SERVE,
	WORKER_ROLE_COUNT,
};

enum host_function {
	HOST_HTTP_REQUEST,
	HOST_EXEC_COMMAND,
	HOST_EMIT,
	HOST_FUNCTION_COUNT,
};

/* The names in the module "porta". */
const char *host_function_name(enum host_function function);

/* What of the file system a worker may touch, and what the guest finds there. */
enum protocol_access {
	ACCESS_LIST, /* names only: the directory of a file that is granted alone */
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_COUNT,
};

struct protocol_path {
	char *host_path; /* as the worker sees it */
	char *guest_path; /* the preopened directory's name; "": only lies below one */
	enum protocol_access access;
	bool is_mutable; /* the guest may change something below it */
};

struct protocol_config {
	enum worker_role role;
	bool has_fuel; /* code that counts steps; of compiling and running alike */
	uint64_t step_limit;
	uint64_t memory_bytes_max;
	uint64_t table_elements_max;
	uint64_t output_bytes_max; /* of a call (serve), below MESSAGE_BYTES_MAX */
	capability_set granted;
	struct strv arguments;	 /* argv[0] too */
	struct strv environment; /* "KEY=VALUE" */
	char *entry;		 /* the exported function that is called */
	struct protocol_path *paths;
	size_t paths_count;
	size_t paths_capacity;
};

#define PROTOCOL_CONFIG_INIT { .arguments = STRV_INIT, .environment = STRV_INIT }

void protocol_config_done(struct protocol_config *config);
void protocol_config_add_path(struct protocol_config *config, const char *host_path,
			      const char *guest_path, enum protocol_access access, bool is_mutable);
void protocol_config_put(struct strbuf *out, const struct protocol_config *config);
/* -EBADMSG for what protocol_config_put did not write. `ret_config` is PROTOCOL_CONFIG_INIT. */
int protocol_config_get(const char *bytes, size_t length, struct protocol_config *ret_config);

enum result_kind {
	RESULT_EXIT,	     /* `value` is the guest's code */
	RESULT_TRAP,	     /* the sentence says which, and where */
	RESULT_STEP_LIMIT,   /* the fuel is used up */
	RESULT_MEMORY_LIMIT,
	RESULT_TABLE_LIMIT,
	RESULT_STACK_LIMIT,
	RESULT_OUTPUT_LIMIT, /* of output_bytes_max */
	RESULT_NOT_LOADED,   /* the code is for another engine or processor */
	RESULT_NO_ENTRY,     /* it exports no such function without parameters and results */
	RESULT_REFUSED,	     /* an import that is not granted; the sentence says which */
	RESULT_KIND_COUNT,
};

struct protocol_result {
	uint32_t kind; /* enum result_kind */
	uint32_t value;
	uint32_t sentence_length;
};

/* A MESSAGE_RESULT taken apart; the texts are the message's own, without NUL. */
struct protocol_end {
	enum result_kind kind;
	uint32_t value;
	const char *sentence;
	size_t sentence_length;
	const char *output;
	size_t output_length;
};

/* -EBADMSG for what no worker of ours sends. */
int protocol_end_get(const char *bytes, size_t length, struct protocol_end *ret_end);

#endif
