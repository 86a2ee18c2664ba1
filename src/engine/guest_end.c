/* How a call of a guest ended; see guest_end.h. */
#include "engine/guest_end.h"

#include <string.h>

#include "engine/errors.h"
#include "util/macros.h"
#include "util/mem.h"

void
guest_end_done(struct guest_end *end)
{
	strbuf_done(&end->sentence);
}

void
guest_end_set(struct guest_end *end, enum result_kind kind, uint32_t value)
{
	end->kind = kind;
	end->value = value;
	strbuf_done(&end->sentence);
}

static const char *const trap_names[] = {
	[WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS] = "an access outside of its memory",
	[WASMTIME_TRAP_CODE_HEAP_MISALIGNED] = "a misaligned atomic access",
	[WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS] = "an access outside of a table",
	[WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL] = "a call of a function that is null",
	[WASMTIME_TRAP_CODE_BAD_SIGNATURE] = "a call of a function with another signature",
	[WASMTIME_TRAP_CODE_INTEGER_OVERFLOW] = "an integer overflow",
	[WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO] = "a division by zero",
	[WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER] = "a number that no integer can hold",
	[WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED] = "code that it says is unreachable (abort)",
	[WASMTIME_TRAP_CODE_NULL_REFERENCE] = "a use of a null reference",
	[WASMTIME_TRAP_CODE_ARRAY_OUT_OF_BOUNDS] = "an access outside of an array",
	[WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE] = "an allocation that is too large",
	[WASMTIME_TRAP_CODE_CAST_FAILURE] = "a cast to a type that the value does not have",
};

/* "a division by zero, in the function 'f'" */
static void
put_trap(struct strbuf *out, const wasm_trap_t *trap, wasmtime_trap_code_t code)
{
	wasm_frame_t *origin = wasm_trap_origin(trap);
	const wasm_name_t *function = NULL;

	if (code < ARRAY_SIZE(trap_names) && trap_names[code] != NULL)
		strbuf_puts(out, trap_names[code]);
	else
		strbuf_printf(out, "a trap with the code %u", (unsigned int)code);
	if (origin == NULL)
		return;
	function = wasmtime_frame_func_name(origin);
	if (function != NULL && function->size > 0) {
		_cleanup_free_ char *name = mem_strndup(function->data, function->size);

		strbuf_printf(out, ", in the function '%s'", name);
	}
	wasm_frame_delete(origin);
}

/* Of a trap that nothing else explains. */
static void
judge_trap(struct guest_end *end, const wasm_trap_t *trap)
{
	wasmtime_trap_code_t code = 0;

	if (!wasmtime_trap_code(trap, &code)) {
		wasm_byte_vec_t text;

		wasm_trap_message(trap, &text);
		strbuf_add(&end->sentence, text.data, strnlen(text.data, text.size));
		wasm_byte_vec_delete(&text);
	} else if (code == WASMTIME_TRAP_CODE_STACK_OVERFLOW) {
		end->kind = RESULT_STACK_LIMIT;
	} else if (code == WASMTIME_TRAP_CODE_OUT_OF_FUEL) {
		end->kind = RESULT_STEP_LIMIT;
	} else {
		put_trap(&end->sentence, trap, code);
	}
}

void
guest_end_judge(struct guest_end *end, const struct guest_traces *traces, wasmtime_error_t *error,
		wasm_trap_t *trap)
{
	guest_end_set(end, RESULT_TRAP, 0);
	if (traces->output_is_over)
		end->kind = RESULT_OUTPUT_LIMIT;
	else if (traces->has_exited)
		guest_end_set(end, RESULT_EXIT, traces->exit_code);
	else if (error == NULL && trap == NULL)
		guest_end_set(end, RESULT_EXIT, 0);
	else if (traces->limits.hit == PORTA_WASM_HIT_MEMORY)
		end->kind = RESULT_MEMORY_LIMIT;
	else if (traces->limits.hit == PORTA_WASM_HIT_TABLE)
		end->kind = RESULT_TABLE_LIMIT;
	else if (error != NULL)
		errors_put(&end->sentence, TAKE_PTR(error));
	else
		judge_trap(end, trap);
	if (error != NULL)
		wasmtime_error_delete(error);
	if (trap != NULL)
		wasm_trap_delete(trap);
}
