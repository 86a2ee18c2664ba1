/* How a call of a guest ended, for porta. */
#ifndef PORTA_ENGINE_GUEST_END_H
#define PORTA_ENGINE_GUEST_END_H

#include <porta_wasm.h>
#include <stdbool.h>

#include "util/error.h"
#include "util/strings.h"
#include "wasm/protocol.h"

struct guest_end {
	enum result_kind kind;
	uint32_t value;
	struct strbuf sentence; /* what is to be told beside the kind; may be empty */
};

#define GUEST_END_INIT { .kind = RESULT_EXIT }

void guest_end_done(struct guest_end *end);
/* Forgets what was, with `kind` instead. */
void guest_end_set(struct guest_end *end, enum result_kind kind, uint32_t value);

/* What a call left behind when Wasmtime came back with an error or a trap. */
struct guest_traces {
	bool has_exited; /* by proc_exit */
	uint32_t exit_code;
	bool output_is_over;
	struct porta_wasm_limits limits;
};

/* Takes the error and the trap, of which one is NULL at least; both: the guest returned. */
void guest_end_judge(struct guest_end *end, const struct guest_traces *traces,
		     wasmtime_error_t *error, wasm_trap_t *trap);

#endif
