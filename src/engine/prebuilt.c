/*
 * What porta's own Rust library adds to Wasmtime's C API, as far as a released C API can do it: for a build
 * with -Dwasmtime=ARCHIVE. What it cannot: a limit of memory or tables that is passed while the guest runs makes
 * memory.grow and table.grow return -1, and does not end the guest; a worker that compiles has executable memory.
 */
#include <errno.h>
#include <stdlib.h>

#include <porta_wasm.h>

#include "util/macros.h"
#include "util/mem.h"

void
porta_wasm_store_limit(wasmtime_store_t *store, struct porta_wasm_limits *limits)
{
	const int64_t any = -1;

	wasmtime_store_limiter(store, (int64_t)MIN(limits->memory_bytes_max, (uint64_t)INT64_MAX),
			       (int64_t)MIN(limits->table_elements_max, (uint64_t)INT64_MAX), any, any,
			       any);
}

wasmtime_error_t *
porta_wasm_compile(const wasm_engine_t *engine, const uint8_t *module, size_t length,
		   wasm_byte_vec_t *ret_code)
{
	wasmtime_module_t *compiled = NULL;
	wasmtime_error_t *error =
	    wasmtime_module_new((wasm_engine_t *)engine, module, length, &compiled);

	if (error != NULL)
		return error;
	error = wasmtime_module_serialize(compiled, ret_code);
	wasmtime_module_delete(compiled);
	return error;
}

struct output {
	bool (*write)(void *data, const uint8_t *bytes, size_t length);
	void *data;
};

static ptrdiff_t
write_output(void *data, const unsigned char *bytes, size_t length)
{
	const struct output *output = data;

	return output->write(output->data, bytes, length) ? (ptrdiff_t)length : -EIO;
}

void
porta_wasm_config_stdout(wasi_config_t *config,
			 bool (*write)(void *data, const uint8_t *bytes, size_t length), void *data)
{
	struct output *output = MEM_NEW(struct output);

	output->write = write;
	output->data = data;
	wasi_config_set_stdout_custom(config, write_output, output, free);
}
