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
	struct message_reader reader; /* of answers to host calls */
	struct host_calls *host_calls;
	wasm_engine_t *engine;
	wasmtime_module_t *module;
	wasmtime_linker_t *linker;
	wasmtime_instance_pre_t *instance_pre;
	bool has_exited; /* by proc_exit, in this call */
	uint32_t exit_code;
};

static int
fail_with(struct error *err, int code, const char *what, wasmtime_error_t *error)
{
	struct strbuf text = STRBUF_INIT;

	errors_put(&text, error);
	error_set(err, code, "%s: %s", what, text.text);
	strbuf_done(&text);
	return code;
}

static void
put_path_of(int fd, char path[FD_PATH_BYTES])
{
	snprintf(path, FD_PATH_BYTES, "/proc/self/fd/%d", fd);
}

/*
 * porta has judged the imports by what the compile worker said of them. Here they are the code's
 * own: what is not granted is not linked, whatever that worker said.
 */
static bool
is_refused(const struct guest *guest, struct strbuf *sentence)
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
					     guest->config->granted, sentence);
	}
	wasm_importtype_vec_delete(&imports);
	return refused;
}

/* proc_exit(code): ends the guest by a trap, which judge_end knows by has_exited. */
static wasm_trap_t *
exit_callback(void *data, wasmtime_caller_t *caller, wasmtime_val_raw_t *values, size_t count)
{
	static const char sentence[] = "exit";
	struct guest *guest = data;

	(void)caller;
	(void)count;
	guest->has_exited = true;
	guest->exit_code = (uint32_t)values[0].i32;
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

/* As guest_load: 1, 0 with a result, or a negative errno. */
static int
link_module(struct guest *guest, struct protocol_result *ret_result, struct strbuf *sentence,
	    struct error *err)
{
	wasmtime_error_t *error;

	if (is_refused(guest, sentence)) {
		*ret_result = (struct protocol_result){ .kind = RESULT_REFUSED };
		return 0;
	}
	guest->linker = wasmtime_linker_new(guest->engine);
	error = wasmtime_linker_define_wasi(guest->linker);
	if (error == NULL)
		error = define_exit(guest);
	if (error != NULL)
		return fail_with(err, -EINVAL, "cannot define WASI", error);
	if (host_calls_define(guest->host_calls, guest->linker, err) < 0)
		return -EINVAL;
	error = wasmtime_linker_instantiate_pre(guest->linker, guest->module, &guest->instance_pre);
	if (error != NULL) {
		/* A function of the right name and the wrong type. */
		errors_put(sentence, error);
		*ret_result = (struct protocol_result){ .kind = RESULT_REFUSED };
		return 0;
	}
	return 1;
}

int
guest_load(const struct protocol_config *config, const int *path_fds, struct guest **ret_guest,
	   struct protocol_result *ret_result, struct strbuf *sentence, struct error *err)
{
	struct guest *guest = MEM_NEW(struct guest);
	char path[FD_PATH_BYTES];
	wasmtime_error_t *error;
	int r;

	guest->config = config;
	guest->path_fds = path_fds;
	guest->host_calls = host_calls_new(&guest->reader);
	guest->engine = settings_new_engine(config);
	put_path_of(PROTOCOL_CODE_FD, path);
	error = wasmtime_module_deserialize_file(guest->engine, path, &guest->module);
	if (error != NULL) {
		errors_put(sentence, error);
		*ret_result = (struct protocol_result){ .kind = RESULT_NOT_LOADED };
		r = 0;
	} else {
		r = link_module(guest, ret_result, sentence, err);
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
	message_reader_done(&guest->reader);
	free(guest);
}

static bool
set_environment(wasi_config_t *wasi, const struct strv *environment)
{
	_cleanup_free_ char **names = mem_zalloc(environment->count + 1, sizeof(*names));
	_cleanup_free_ const char **values = mem_zalloc(environment->count + 1, sizeof(*values));
	bool is_set;

	for (size_t i = 0; i < environment->count; i++) {
		const char *text = environment->items[i];
		size_t length = strcspn(text, "=");

		names[i] = mem_strndup(text, length);
		values[i] = text[length] == '=' ? text + length + 1 : "";
	}
	is_set = wasi_config_set_env(wasi, environment->count, (const char **)names, values);
	for (size_t i = 0; i < environment->count; i++)
		free(names[i]);
	return is_set;
}

static int
open_directories(const struct guest *guest, wasi_config_t *wasi, struct error *err)
{
	for (size_t i = 0; i < guest->config->paths_count; i++) {
		const struct protocol_path *granted = &guest->config->paths[i];
		char path[FD_PATH_BYTES];

		if (granted->guest_path[0] == '\0')
			continue;
		put_path_of(guest->path_fds[i], path);
		if (!wasi_config_preopen_dir(wasi, path, granted->guest_path, granted->is_mutable))
			return error_set(err, -EACCES, "cannot open the directory %s for the guest",
					 granted->host_path);
	}
	return 0;
}

/* What the guest's WASI functions work on: arguments, environment, directories, streams. */
static int
set_wasi(const struct guest *guest, wasmtime_context_t *context, struct error *err)
{
	const struct protocol_config *config = guest->config;
	wasi_config_t *wasi = wasi_config_new();
	wasmtime_error_t *error;
	int r;

	if (!wasi_config_set_argv(wasi, config->arguments.count,
				  (const char **)config->arguments.items)) {
		r = error_set(err, -EILSEQ, "an argument for the guest is not UTF-8");
	} else if (!set_environment(wasi, &config->environment)) {
		r = error_set(err, -EILSEQ, "an environment variable for the guest is not UTF-8");
	} else {
		r = open_directories(guest, wasi, err);
	}
	if (r < 0) {
		wasi_config_delete(wasi);
		return r;
	}
	if (config->granted & (1U << CAPABILITY_IO)) {
		wasi_config_inherit_stdin(wasi);
		wasi_config_inherit_stdout(wasi);
		wasi_config_inherit_stderr(wasi);
	}
	error = wasmtime_context_set_wasi(context, wasi);
	return error == NULL ? 0 : fail_with(err, -EINVAL, "cannot set WASI up", error);
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

/* What ended the guest: takes both, of which one is set. */
static void
judge_end(const struct guest *guest, const struct porta_wasm_limits *limits,
	  wasmtime_error_t *error, wasm_trap_t *trap, struct protocol_result *ret_result,
	  struct strbuf *sentence)
{
	wasmtime_trap_code_t code = 0;

	*ret_result = (struct protocol_result){ .kind = RESULT_TRAP };
	if (guest->has_exited) {
		*ret_result = (struct protocol_result){ RESULT_EXIT, guest->exit_code };
	} else if (limits->hit == PORTA_WASM_HIT_MEMORY) {
		ret_result->kind = RESULT_MEMORY_LIMIT;
	} else if (limits->hit == PORTA_WASM_HIT_TABLE) {
		ret_result->kind = RESULT_TABLE_LIMIT;
	} else if (error != NULL) {
		errors_put(sentence, TAKE_PTR(error));
	} else if (!wasmtime_trap_code(trap, &code)) {
		wasm_byte_vec_t text;

		wasm_trap_message(trap, &text);
		strbuf_add(sentence, text.data, strnlen(text.data, text.size));
		wasm_byte_vec_delete(&text);
	} else if (code == WASMTIME_TRAP_CODE_STACK_OVERFLOW) {
		ret_result->kind = RESULT_STACK_LIMIT;
	} else if (code == WASMTIME_TRAP_CODE_OUT_OF_FUEL) {
		ret_result->kind = RESULT_STEP_LIMIT;
	} else {
		put_trap(sentence, trap, code);
	}
	if (error != NULL)
		wasmtime_error_delete(error);
	if (trap != NULL)
		wasm_trap_delete(trap);
}

static bool
find_entry(wasmtime_context_t *context, const wasmtime_instance_t *instance, const char *name,
	   wasmtime_func_t *ret_function)
{
	wasmtime_extern_t item;

	if (!wasmtime_instance_export_get(context, instance, name, strlen(name), &item))
		return false;
	if (item.kind == WASMTIME_EXTERN_FUNC) {
		wasm_functype_t *type = wasmtime_func_type(context, &item.of.func);
		bool is_entry = wasm_functype_params(type)->size == 0 &&
				wasm_functype_results(type)->size == 0;

		wasm_functype_delete(type);
		*ret_function = item.of.func;
		return is_entry;
	}
	wasmtime_extern_delete(&item);
	return false;
}

static void
run_instance(const struct guest *guest, wasmtime_context_t *context,
	     const struct porta_wasm_limits *limits, struct protocol_result *ret_result,
	     struct strbuf *sentence)
{
	wasmtime_instance_t instance;
	wasmtime_func_t entry;
	wasm_trap_t *trap = NULL;
	wasmtime_error_t *error =
	    wasmtime_instance_pre_instantiate(guest->instance_pre, context, &instance, &trap);

	if (error == NULL && trap == NULL) {
		if (!find_entry(context, &instance, guest->config->entry, &entry)) {
			*ret_result = (struct protocol_result){ .kind = RESULT_NO_ENTRY };
			return;
		}
		error = wasmtime_func_call(context, &entry, NULL, 0, NULL, 0, &trap);
	}
	if (error == NULL && trap == NULL)
		*ret_result = (struct protocol_result){ .kind = RESULT_EXIT, .value = 0 };
	else
		judge_end(guest, limits, error, trap, ret_result, sentence);
}

int
guest_call(struct guest *guest, struct protocol_result *ret_result, struct strbuf *sentence,
	   struct error *err)
{
	const struct protocol_config *config = guest->config;
	wasmtime_store_t *store = wasmtime_store_new(guest->engine, NULL, NULL);
	wasmtime_context_t *context = wasmtime_store_context(store);
	struct porta_wasm_limits limits = { .memory_bytes_max = config->memory_bytes_max,
					    .table_elements_max = config->table_elements_max };
	wasmtime_error_t *error = NULL;
	int r;

	porta_wasm_store_limit(store, &limits);
	host_calls_reset(guest->host_calls);
	guest->has_exited = false;
	r = set_wasi(guest, context, err);
	if (r == 0 && config->has_fuel)
		error = wasmtime_context_set_fuel(context, config->step_limit);
	if (error != NULL)
		r = fail_with(err, -EINVAL, "cannot limit its steps", error);
	if (r == 0)
		run_instance(guest, context, &limits, ret_result, sentence);
	wasmtime_store_delete(store);
	return r;
}
