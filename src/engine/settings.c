/* How Wasmtime is set up; see settings.h. */
#include "engine/settings.h"

#include <porta_wasm.h>

/* Of a warm worker: one instance at a time, its first pages kept and set to zero between calls. */
#define KEEP_RESIDENT_BYTES ((size_t)128 * 1024)
#define TABLES_MAX	    8
#define MEMORIES_MAX	    4

static void
use_one_slot(wasm_config_t *settings, const struct protocol_config *config)
{
	wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();

	wasmtime_pooling_allocation_config_total_core_instances_set(pool, 1);
	/* Of a thousand that are mapped else; no call is an async one. */
	wasmtime_pooling_allocation_config_total_stacks_set(pool, 1);
	wasmtime_pooling_allocation_config_total_gc_heaps_set(pool, 1);
	wasmtime_pooling_allocation_config_total_memories_set(pool, MEMORIES_MAX);
	wasmtime_pooling_allocation_config_total_tables_set(pool, TABLES_MAX);
	wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, MEMORIES_MAX);
	wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, TABLES_MAX);
	wasmtime_pooling_allocation_config_table_elements_set(pool,
							      (size_t)config->table_elements_max);
	wasmtime_pooling_allocation_config_max_memory_size_set(pool,
							       (size_t)config->memory_bytes_max);
	wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, 1);
	wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool,
									   KEEP_RESIDENT_BYTES);
	wasmtime_pooling_allocation_strategy_set(settings, pool);
	wasmtime_pooling_allocation_config_delete(pool);
}

wasm_engine_t *
settings_new_engine(const struct protocol_config *config)
{
	wasm_config_t *settings = wasm_config_new();

	wasmtime_config_consume_fuel_set(settings, config->has_fuel);
	if (config->role == WORKER_SERVE)
		use_one_slot(settings, config);
	return wasm_engine_new_with_config(settings);
}
