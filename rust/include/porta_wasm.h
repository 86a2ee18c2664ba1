/* What porta-engine needs of WASM beside Wasmtime's C API (wasmtime.h). */
#ifndef PORTA_WASM_H
#define PORTA_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasi.h>
#include <wasmtime.h>

enum porta_wasm_hit {
	PORTA_WASM_HIT_NONE = 0,
	PORTA_WASM_HIT_MEMORY = 1, /* memory.grow, or the memory that the module starts with */
	PORTA_WASM_HIT_TABLE = 2,
};

struct porta_wasm_limits {
	uint64_t memory_bytes_max;   /* of all memories together */
	uint64_t table_elements_max; /* of each table */
	uint64_t memory_bytes;	     /* what they have; 0 at first */
	uint32_t hit;		     /* enum porta_wasm_hit, set when the guest is ended for it */
};

/*
 * From now on the guest ends with an error where it would pass a limit; up to the module's own
 * maximum, beyond which growing returns -1 as the specification says. `limits` outlives the store.
 */
void porta_wasm_store_limit(wasmtime_store_t *store, struct porta_wasm_limits *limits);

/*
 * Compiles a module to what wasmtime_module_deserialize_file loads, without making it executable
 * here. The caller owns *ret_code (wasm_byte_vec_delete).
 */
wasmtime_error_t *porta_wasm_compile(const wasm_engine_t *engine, const uint8_t *module, size_t length,
				     wasm_byte_vec_t *ret_code);

/*
 * The guest's standard output goes to `write`, in its thread; where that returns false the guest is
 * ended with an error. `data` outlives the store that `config` is set for.
 */
void porta_wasm_config_stdout(wasi_config_t *config,
			      bool (*write)(void *data, const uint8_t *bytes, size_t length), void *data);

/*
 * What a module says of itself, as JSON (src/wasm/facts.h has the form). With `validate` the whole
 * module is checked, else only as much as is needed. Returns true and the JSON, or false and one
 * sentence of what is wrong; both without NUL at the end, given back by porta_wasm_text_free.
 */
bool porta_wasm_facts(const uint8_t *module, size_t length, bool validate, uint8_t **ret_text,
		      size_t *ret_length);
void porta_wasm_text_free(uint8_t *text, size_t length);

#endif
