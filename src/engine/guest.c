/* The guest; see guest.h. */
#include "engine/guest.h"

#include <errno.h>
#include <porta_wasm.h>
#include <stdio.h>
#include <string.h>

#include "engine/errors.h"
#include "engine/host_calls.h"
#include "engine/settings.h"
#include "engine/walls.h"
#include "util/mem.h"

#define FD_PATH_BYTES 32

struct guest {
	const struct protocol_config *config;
	const int *path_fds;
	struct host_calls *host_calls;
	wasm_engine_t *engine;
	wasmtime_module_t *module;
	wasmtime_linker_t *linker;
	wasmtime_instance_pre_t *instance_pre;
	struct guest_traces traces; /* of this call */
};

/*
 * porta has judged the imports by what the compile worker said of them. Here they are the code's
 * own: what is not granted is not linked, whatever that worker said.
 */
static bool
is_refused(const struct guest *guest, struct guest_end *end)
{
	wasm_importtype_vec_t imports;
	bool refused = false;

	wasmtime_module_imports(guest->module, &imports);
	for (size_t i = 0; i < imports.size && !refused; i++) {
		const wasm_name_t *module = wasm_importtype_module(imports.data[i]);
		const wasm_name_t *name = wasm_importtype_name(imports.data[i]);
		_cleanup_free_ char *module_text = mem_strndup(module->data, module->size);
		_cleanup_free_ char *name_text = mem_strndup(name->data, name->size);
		bool is_function =
		    wasm_externtype_kind(wasm_importtype_type(imports.data[i])) == WASM_EXTERN_FUNC;

		refused = capability_refusal(module_text, name_text, is_function,
					     guest->config->granted, &end->sentence);
	}
	wasm_importtype_vec_delete(&imports);
	return refused;
}

/* proc_exit(code): ends the guest by a trap, which guest_end_judge knows by has_exited. */
static wasm_trap_t *
exit_callback(void *data, wasmtime_caller_t *caller, wasmtime_val_raw_t *values, size_t count)
{
	static const char sentence[] = "exit";
	struct guest *guest = data;

	(void)caller;
	(void)count;
	guest->traces.has_exited = true;
	guest->traces.exit_code = (uint32_t)values[0].i32;
	return wasmtime_trap_new(sentence, strlen(sentence));
}

/* In the place of Wasmtime's own, which takes codes below 126 only. */
static wasmtime_error_t *
define_exit(struct guest *guest)
{
	static const char module[] = "wasi_snapshot_preview1";
	static const char name[] = "proc_exit";
	wasm_functype_t *type = wasm_functype_new_1_0(wasm_valtype_new_i32());
	wasmtime_error_t *error;

	wasmtime_linker_allow_shadowing(guest->linker, true);
	error = wasmtime_linker_define_func_unchecked(guest->linker, module, strlen(module), name,
						      strlen(name), type, exit_callback, guest, NULL);
	wasmtime_linker_allow_shadowing(guest->linker, false);
	wasm_functype_delete(type);
	return error;
}

/* As guest_load: 1, 0 with an end, or a negative errno. */
static int
link_module(struct guest *guest, struct guest_end *ret_end, struct error *err)
{
	wasmtime_error_t *error;

	guest_end_set(ret_end, RESULT_REFUSED, 0);
	if (is_refused(guest, ret_end))
		return 0;
	guest->linker = wasmtime_linker_new(guest->engine);
	error = wasmtime_linker_define_wasi(guest->linker);
	if (error == NULL)
		error = define_exit(guest);
	if (error != NULL)
		return errors_set(err, -EINVAL, "cannot define WASI", error);
	if (host_calls_define(guest->host_calls, guest->linker, err) < 0)
		return -EINVAL;
	error = wasmtime_linker_instantiate_pre(guest->linker, guest->module, &guest->instance_pre);
	if (error != NULL) {
		/* A function of the right name and the wrong type. */
		errors_put_with_context(&ret_end->sentence, error);
		return 0;
	}
	return 1;
}

int
guest_load(const struct protocol_config *config, const int *path_fds, struct message_reader *reader,
	   struct guest **ret_guest, struct guest_end *ret_end, struct error *err)
{
	struct guest *guest = MEM_NEW(struct guest);
	char path[FD_PATH_BYTES];
	wasmtime_error_t *error;
	int r;

	guest->config = config;
	guest->path_fds = path_fds;
	guest->host_calls = host_calls_new(reader);
	guest->engine = settings_new_engine(config);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", PROTOCOL_CODE_FD);
	error = wasmtime_module_deserialize_file(guest->engine, path, &guest->module);
	if (error != NULL) {
		guest_end_set(ret_end, RESULT_NOT_LOADED, 0);
		errors_put(&ret_end->sentence, error);
		r = 0;
	} else {
		r = link_module(guest, ret_end, err);
	}
	if (r == 1) {
		r = walls_close_code();
		if (r < 0)
			error_set_errno(err, r, "cannot forbid new executable memory");
		else
			r = 1;
	}
	if (r == 1)
		*ret_guest = TAKE_PTR(guest);
	guest_free(guest);
	return r;
}

void
guest_free(struct guest *guest)
{
	if (guest == NULL)
		return;
	if (guest->instance_pre != NULL)
		wasmtime_instance_pre_delete(guest->instance_pre);
	if (guest->linker != NULL)
		wasmtime_linker_delete(guest->linker);
	if (guest->module != NULL)
		wasmtime_module_delete(guest->module);
	if (guest->engine != NULL)
		wasm_engine_delete(guest->engine);
	host_calls_free(guest->host_calls);
	free(guest);
}

/* The exported function `name`, if it takes and gives nothing. */
static bool
find_function(wasmtime_context_t *context, const wasmtime_instance_t *instance, const char *name,
	      wasmtime_func_t *ret_function)
{
	wasmtime_extern_t item;

	if (!wasmtime_instance_export_get(context, instance, name, strlen(name), &item))
		return false;
	if (item.kind == WASMTIME_EXTERN_FUNC) {
		wasm_functype_t *type = wasmtime_func_type(context, &item.of.func);
		bool is_plain = wasm_functype_params(type)->size == 0 &&
				wasm_functype_results(type)->size == 0;

		wasm_functype_delete(type);
		*ret_function = item.of.func;
		return is_plain;
	}
	wasmtime_extern_delete(&item);
	return false;
}

/* A library (a reactor, in WASI's words) sets itself up by _initialize, a command does without. */
static wasmtime_error_t *
call_entry(wasmtime_context_t *context, const wasmtime_instance_t *instance,
	   const wasmtime_func_t *entry, wasm_trap_t **ret_trap)
{
	wasmtime_error_t *error = NULL;
	wasmtime_func_t initialize;

	if (find_function(context, instance, "_initialize", &initialize))
		error = wasmtime_func_call(context, &initialize, NULL, 0, NULL, 0, ret_trap);
	if (error != NULL || *ret_trap != NULL)
		return error;
	return wasmtime_func_call(context, entry, NULL, 0, NULL, 0, ret_trap);
}

static void
run_instance(const struct guest *guest, wasmtime_context_t *context, const char *entry_name,
	     const struct guest_streams *streams, struct guest_end *ret_end)
{
	wasmtime_instance_t instance;
	wasmtime_func_t entry;
	wasm_trap_t *trap = NULL;
	struct guest_traces traces;
	wasmtime_error_t *error =
	    wasmtime_instance_pre_instantiate(guest->instance_pre, context, &instance, &trap);

	if (error == NULL && trap == NULL) {
		if (!find_function(context, &instance, entry_name, &entry)) {
			guest_end_set(ret_end, RESULT_NO_ENTRY, 0);
			return;
		}
		error = call_entry(context, &instance, &entry, &trap);
	}
	traces = guest->traces;
	traces.output_is_over = streams != NULL && streams->output_is_over;
	guest_end_judge(ret_end, &traces, error, trap);
}

int
guest_call(struct guest *guest, const char *entry, struct guest_streams *streams,
	   struct guest_end *ret_end, struct error *err)
{
	const struct protocol_config *config = guest->config;
	wasmtime_store_t *store = wasmtime_store_new(guest->engine, NULL, NULL);
	wasmtime_context_t *context = wasmtime_store_context(store);
	wasmtime_error_t *error = NULL;
	int r;

	guest->traces = (struct guest_traces){
		.limits = { .memory_bytes_max = config->memory_bytes_max,
			    .table_elements_max = config->table_elements_max },
	};
	porta_wasm_store_limit(store, &guest->traces.limits);
	host_calls_reset(guest->host_calls);
	r = guest_wasi_set(context, config, guest->path_fds, streams, err);
	if (r == 0 && config->has_fuel)
		error = wasmtime_context_set_fuel(context, config->step_limit);
	if (error != NULL)
		r = errors_set(err, -EINVAL, "cannot limit its steps", error);
	if (r == 0)
		run_instance(guest, context, entry, streams, ret_end);
	wasmtime_store_delete(store);
	return r;
}
