/* What a guest's WASI functions work on; see guest_wasi.h. */
#include "engine/guest_wasi.h"

#include <errno.h>
#include <porta_wasm.h>
#include <stdio.h>
#include <string.h>

#include "engine/errors.h"
#include "util/mem.h"

#define FD_PATH_BYTES 32

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
open_directories(const struct protocol_config *config, const int *path_fds, wasi_config_t *wasi,
		 struct error *err)
{
	for (size_t i = 0; i < config->paths_count; i++) {
		const struct protocol_path *granted = &config->paths[i];
		char path[FD_PATH_BYTES];

		if (granted->guest_path[0] == '\0')
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fds[i]);
		if (!wasi_config_preopen_dir(wasi, path, granted->guest_path, granted->is_mutable))
			return error_set(err, -EACCES, "cannot open the directory %s for the guest",
					 granted->host_path);
	}
	return 0;
}

static bool
take_output(void *data, const uint8_t *bytes, size_t length)
{
	struct guest_streams *streams = data;

	if (length > streams->output_bytes_max - streams->output->length) {
		streams->output_is_over = true;
		return false;
	}
	strbuf_add(streams->output, (const char *)bytes, length);
	return true;
}

/* What the guest says on its standard error goes where porta's goes, also of a call. */
static void
set_streams(wasi_config_t *wasi, struct guest_streams *streams)
{
	wasi_config_inherit_stderr(wasi);
	if (streams == NULL) {
		wasi_config_inherit_stdin(wasi);
		wasi_config_inherit_stdout(wasi);
	} else {
		wasm_byte_vec_t input;

		wasm_byte_vec_new(&input, streams->input_length, streams->input);
		wasi_config_set_stdin_bytes(wasi, &input);
		porta_wasm_config_stdout(wasi, take_output, streams);
	}
}

int
guest_wasi_set(wasmtime_context_t *context, const struct protocol_config *config,
	       const int *path_fds, struct guest_streams *streams, struct error *err)
{
	wasi_config_t *wasi = wasi_config_new();
	wasmtime_error_t *error;
	int r;

	if (!wasi_config_set_argv(wasi, config->arguments.count,
				  (const char **)config->arguments.items)) {
		r = error_set(err, -EILSEQ, "an argument for the guest is not UTF-8");
	} else if (!set_environment(wasi, &config->environment)) {
		r = error_set(err, -EILSEQ, "an environment variable for the guest is not UTF-8");
	} else {
		r = open_directories(config, path_fds, wasi, err);
	}
	if (r < 0) {
		wasi_config_delete(wasi);
		return r;
	}
	if (config->granted & (1U << CAPABILITY_IO))
		set_streams(wasi, streams);
	error = wasmtime_context_set_wasi(context, wasi);
	return error == NULL ? 0 : errors_set(err, -EINVAL, "cannot set WASI up", error);
}
