/* Host imports of the agent protocol, the worker's side; see host_calls.h. */
#include "engine/host_calls.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "util/mem.h"
#include "wasm/protocol.h"

#define REQUEST_BYTES_MAX ((uint32_t)16 * 1024 * 1024)

#define MODULE "porta"

struct host_function_env {
	struct host_calls *calls;
	enum host_function function;
};

struct host_calls {
	struct message_reader *reader;
	struct host_function_env functions[HOST_FUNCTION_COUNT];
	/*
	 * An answer that the guest had no room for, and its question: asked again with more room, it
	 * is answered without being carried out twice.
	 */
	enum host_function kept_function;
	struct strbuf kept_request;
	struct strbuf kept_response;
	bool has_kept;
};

struct host_calls *
host_calls_new(struct message_reader *reader)
{
	struct host_calls *calls = MEM_NEW(struct host_calls);

	calls->reader = reader;
	for (size_t i = 0; i < HOST_FUNCTION_COUNT; i++)
		calls->functions[i] =
		    (struct host_function_env){ calls, (enum host_function)i };
	return calls;
}

void
host_calls_free(struct host_calls *calls)
{
	if (calls == NULL)
		return;
	host_calls_reset(calls);
	free(calls);
}

void
host_calls_reset(struct host_calls *calls)
{
	strbuf_done(&calls->kept_request);
	strbuf_done(&calls->kept_response);
	calls->has_kept = false;
}

/* The guest's memory as it is now. */
struct guest_memory {
	uint8_t *bytes;
	size_t length;
};

static bool
get_memory(wasmtime_caller_t *caller, struct guest_memory *ret_memory)
{
	static const char name[] = "memory";
	wasmtime_context_t *context = wasmtime_caller_context(caller);
	wasmtime_extern_t item;

	if (!wasmtime_caller_export_get(caller, name, strlen(name), &item))
		return false;
	if (item.kind != WASMTIME_EXTERN_MEMORY) {
		wasmtime_extern_delete(&item);
		return false;
	}
	ret_memory->bytes = wasmtime_memory_data(context, &item.of.memory);
	ret_memory->length = wasmtime_memory_data_size(context, &item.of.memory);
	return true;
}

static bool
is_within(const struct guest_memory *memory, uint32_t pointer, uint32_t length)
{
	return (uint64_t)pointer + length <= memory->length;
}

/* Asks porta. Returns 0 with `response` filled; 1: the request is no JSON; or a negative errno. */
static int
ask(struct host_calls *calls, enum host_function function, const void *request, size_t length,
    struct strbuf *response)
{
	uint32_t number = (uint32_t)function;
	struct message message;
	uint32_t status;
	int r;

	r = message_send_parts(PROTOCOL_CONTROL_FD, MESSAGE_HOST_CALL, &number, sizeof(number),
			       request, length);
	if (r < 0)
		return r;
	r = message_read(calls->reader, PROTOCOL_CONTROL_FD, MESSAGE_BYTES_MAX, &message);
	if (r < 0)
		return r;
	if (message.kind != MESSAGE_REPLY || message.length < sizeof(status))
		return -EPROTO;
	memcpy(&status, message.bytes, sizeof(status));
	strbuf_add(response, message.bytes + sizeof(status), message.length - sizeof(status));
	return status == 0 ? 0 : 1;
}

static bool
was_asked(const struct host_calls *calls, enum host_function function, const void *request,
	  size_t length)
{
	return calls->has_kept && calls->kept_function == function &&
	       calls->kept_request.length == length &&
	       (length == 0 || memcmp(calls->kept_request.text, request, length) == 0);
}

/* Fills the kept answer, by asking where it is not there. As ask. */
static int
answer(struct host_calls *calls, enum host_function function, const void *request, size_t length)
{
	int r;

	if (was_asked(calls, function, request, length))
		return 0;
	host_calls_reset(calls);
	r = ask(calls, function, request, length, &calls->kept_response);
	if (r != 0)
		return r;
	calls->kept_function = function;
	strbuf_add(&calls->kept_request, request, length);
	calls->has_kept = true;
	return 0;
}

static int32_t
call_host(struct host_calls *calls, enum host_function function, const struct guest_memory *memory,
	  const uint32_t arguments[4], int *ret_error)
{
	uint32_t request = arguments[0];
	uint32_t request_length = arguments[1];
	uint32_t response = arguments[2];
	uint32_t response_length = arguments[3];
	size_t length;
	int r;

	if (!is_within(memory, request, request_length) ||
	    !is_within(memory, response, response_length) || request_length > REQUEST_BYTES_MAX)
		return -1;
	r = answer(calls, function, memory->bytes + request, request_length);
	if (r != 0) {
		*ret_error = r < 0 ? r : 0;
		return -1;
	}
	length = calls->kept_response.length;
	if (length > response_length)
		return -(int32_t)length;
	if (length > 0)
		memcpy(memory->bytes + response, calls->kept_response.text, length);
	host_calls_reset(calls);
	return (int32_t)length;
}

static wasm_trap_t *
host_callback(void *data, wasmtime_caller_t *caller, wasmtime_val_raw_t *values, size_t count)
{
	const struct host_function_env *env = data;
	struct guest_memory memory;
	uint32_t arguments[4];
	int error = 0;

	(void)count;
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
		arguments[i] = (uint32_t)values[i].i32;
	if (!get_memory(caller, &memory)) {
		values[0].i32 = -1;
		return NULL;
	}
	values[0].i32 = call_host(env->calls, env->function, &memory, arguments, &error);
	if (error < 0) {
		static const char sentence[] = "porta does not answer";

		return wasmtime_trap_new(sentence, strlen(sentence));
	}
	return NULL;
}

static wasm_functype_t *
new_type(void)
{
	wasm_valtype_t *parameters[4];
	wasm_valtype_t *results[] = { wasm_valtype_new_i32() };
	wasm_valtype_vec_t parameter_types;
	wasm_valtype_vec_t result_types;

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		parameters[i] = wasm_valtype_new_i32();
	wasm_valtype_vec_new(&parameter_types, ARRAY_SIZE(parameters), parameters);
	wasm_valtype_vec_new(&result_types, ARRAY_SIZE(results), results);
	return wasm_functype_new(&parameter_types, &result_types);
}

int
host_calls_define(struct host_calls *calls, wasmtime_linker_t *linker, struct error *err)
{
	wasm_functype_t *type = new_type();
	wasmtime_error_t *error = NULL;

	for (size_t i = 0; i < HOST_FUNCTION_COUNT && error == NULL; i++) {
		const char *name = host_function_name((enum host_function)i);

		error = wasmtime_linker_define_func_unchecked(linker, MODULE, strlen(MODULE), name,
							      strlen(name), type, host_callback,
							      &calls->functions[i], NULL);
	}
	wasm_functype_delete(type);
	if (error == NULL)
		return 0;
	wasmtime_error_delete(error);
	return error_set(err, -EINVAL, "cannot define porta's own functions");
}
