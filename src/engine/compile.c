/* Reading and compiling a module; see compile.h. */
#include "engine/compile.h"

#include <errno.h>
#include <porta_wasm.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "engine/errors.h"
#include "engine/settings.h"
#include "util/fd.h"
#include "util/macros.h"

struct mapped {
	const uint8_t *bytes;
	size_t length;
};

/* The file is porta's own copy, sealed: it cannot shrink under the mapping. */
static int
map_module(struct mapped *ret_module, struct error *err)
{
	struct stat status;
	void *bytes;

	if (fstat(PROTOCOL_CODE_FD, &status) < 0)
		return error_set_errno(err, -errno, "cannot look at the module");
	ret_module->length = (size_t)status.st_size;
	ret_module->bytes = NULL;
	if (status.st_size == 0)
		return 0;
	bytes = mmap(NULL, ret_module->length, PROT_READ, MAP_PRIVATE, PROTOCOL_CODE_FD, 0);
	if (bytes == MAP_FAILED)
		return error_set_errno(err, -errno, "cannot map the module");
	ret_module->bytes = bytes;
	return 0;
}

static int
send_text(enum message_kind kind, const void *bytes, size_t length, struct error *err)
{
	int r = message_send(PROTOCOL_CONTROL_FD, kind, bytes, length);

	return r < 0 ? error_set_errno(err, r, "cannot answer") : 0;
}

/* 1: facts are sent; 0: that the module is not valid. */
static int
send_facts(const struct mapped *module, bool validate, struct error *err)
{
	size_t length;
	uint8_t *text;
	bool is_valid = porta_wasm_facts(module->bytes, module->length, validate, &text, &length);
	int r = send_text(is_valid ? MESSAGE_FACTS : MESSAGE_INVALID, text, length, err);

	porta_wasm_text_free(text, length);
	return r < 0 ? r : is_valid;
}

static int
wait_for_go(struct message_reader *reader, struct error *err)
{
	struct message message;
	int r = message_read(reader, PROTOCOL_CONTROL_FD, MESSAGE_BYTES_MAX, &message);

	if (r < 0)
		return error_set_errno(err, r, "cannot hear porta");
	return message.kind == MESSAGE_GO ? 0 : error_set(err, -EPROTO, "heard nonsense");
}

static int
write_code(const wasm_byte_vec_t *code, struct error *err)
{
	int r = fd_write_all(PROTOCOL_OUTPUT_FD, code->data, code->size);

	if (r < 0)
		return error_set_errno(err, r, "cannot write the compiled code");
	return send_text(MESSAGE_COMPILED, NULL, 0, err);
}

static int
send_code(const struct protocol_config *config, const struct mapped *module, struct error *err)
{
	wasm_engine_t *engine = settings_new_engine(config);
	wasm_byte_vec_t bytes = { 0 };
	wasmtime_error_t *error = porta_wasm_compile(engine, module->bytes, module->length, &bytes);
	int r;

	if (error == NULL) {
		r = write_code(&bytes, err);
	} else {
		struct strbuf sentence = STRBUF_INIT;

		strbuf_puts(&sentence, "is not valid WASM: ");
		errors_put(&sentence, error);
		r = send_text(MESSAGE_INVALID, sentence.text, sentence.length, err);
		strbuf_done(&sentence);
	}
	wasm_byte_vec_delete(&bytes);
	wasm_engine_delete(engine);
	return r;
}

int
compile_module(const struct protocol_config *config, struct message_reader *reader,
	       struct error *err)
{
	struct mapped module = { 0 };
	int r = map_module(&module, err);

	if (r < 0)
		return r;
	/* What compiles is checked by the compiler. */
	r = send_facts(&module, config->role == WORKER_INSPECT, err);
	if (r <= 0 || config->role == WORKER_INSPECT)
		return r < 0 ? r : 0;
	r = wait_for_go(reader, err);
	return r < 0 ? r : send_code(config, &module, err);
}
