/* What porta and its WASM workers say to each other; see protocol.h. */
#include "wasm/protocol.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"

static const char *const host_function_names[] = {
	[HOST_HTTP_REQUEST] = "http_request",
	[HOST_EXEC_COMMAND] = "exec_command",
	[HOST_EMIT] = "emit",
};
static_assert(ARRAY_SIZE(host_function_names) == HOST_FUNCTION_COUNT, "a name for each function");

const char *
host_function_name(enum host_function function)
{
	return host_function_names[function];
}

void
protocol_config_done(struct protocol_config *config)
{
	strv_done(&config->arguments);
	strv_done(&config->environment);
	for (size_t i = 0; i < config->paths_count; i++) {
		free(config->paths[i].host_path);
		free(config->paths[i].guest_path);
	}
	free(config->paths);
	free(config->entry);
	*config = (struct protocol_config)PROTOCOL_CONFIG_INIT;
}

void
protocol_config_add_path(struct protocol_config *config, const char *host_path,
			 const char *guest_path, enum protocol_access access, bool is_mutable)
{
	MEM_GROW(config->paths, config->paths_capacity, config->paths_count);
	config->paths[config->paths_count++] =
	    (struct protocol_path){ .host_path = mem_strdup(host_path),
				    .guest_path = mem_strdup(guest_path),
				    .access = access,
				    .is_mutable = is_mutable };
}

/* The numbers of a configuration as they are sent; the texts follow, each with its NUL. */
struct fixed {
	uint64_t step_limit;
	uint64_t memory_bytes_max;
	uint64_t table_elements_max;
	uint64_t output_bytes_max;
	uint32_t role;
	uint32_t has_fuel;
	uint32_t granted;
	uint32_t arguments_count;
	uint32_t environment_count;
	uint32_t paths_count;
};

static void
put_text(struct strbuf *out, const char *text)
{
	strbuf_add(out, text, strlen(text) + 1);
}

void
protocol_config_put(struct strbuf *out, const struct protocol_config *config)
{
	struct fixed fixed = {
		.step_limit = config->step_limit,
		.memory_bytes_max = config->memory_bytes_max,
		.table_elements_max = config->table_elements_max,
		.output_bytes_max = config->output_bytes_max,
		.role = config->role,
		.has_fuel = config->has_fuel,
		.granted = config->granted,
		.arguments_count = (uint32_t)config->arguments.count,
		.environment_count = (uint32_t)config->environment.count,
		.paths_count = (uint32_t)config->paths_count,
	};

	strbuf_add(out, (const char *)&fixed, sizeof(fixed));
	for (size_t i = 0; i < config->arguments.count; i++)
		put_text(out, config->arguments.items[i]);
	for (size_t i = 0; i < config->environment.count; i++)
		put_text(out, config->environment.items[i]);
	put_text(out, config->entry == NULL ? "" : config->entry);
	for (size_t i = 0; i < config->paths_count; i++) {
		const struct protocol_path *path = &config->paths[i];

		put_text(out, path->host_path);
		put_text(out, path->guest_path);
		strbuf_putc(out, (char)path->access);
		strbuf_putc(out, (char)path->is_mutable);
	}
}

/* The next text, or NULL where there is none. */
static const char *
get_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = memchr(text, '\0', (size_t)(end - text));

	if (nul == NULL)
		return NULL;
	*at = nul + 1;
	return text;
}

static int
get_texts(const char **at, const char *end, uint32_t count, struct strv *list)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *text = get_text(at, end);

		if (text == NULL)
			return -EBADMSG;
		strv_add(list, text);
	}
	return 0;
}

static int
get_path(const char **at, const char *end, struct protocol_config *config)
{
	const char *host_path = get_text(at, end);
	const char *guest_path = host_path == NULL ? NULL : get_text(at, end);

	if (guest_path == NULL || end - *at < 2 || (*at)[0] < 0 || (*at)[0] >= ACCESS_COUNT)
		return -EBADMSG;
	protocol_config_add_path(config, host_path, guest_path, (enum protocol_access)(*at)[0],
				 (*at)[1] != 0);
	*at += 2;
	return 0;
}

int
protocol_config_get(const char *bytes, size_t length, struct protocol_config *ret_config)
{
	const char *end = bytes + length;
	struct fixed fixed;
	const char *text;

	if (length < sizeof(fixed))
		return -EBADMSG;
	memcpy(&fixed, bytes, sizeof(fixed));
	bytes += sizeof(fixed);
	if (fixed.role >= WORKER_ROLE_COUNT)
		return -EBADMSG;
	ret_config->role = (enum worker_role)fixed.role;
	ret_config->has_fuel = fixed.has_fuel != 0;
	ret_config->step_limit = fixed.step_limit;
	ret_config->memory_bytes_max = fixed.memory_bytes_max;
	ret_config->table_elements_max = fixed.table_elements_max;
	ret_config->output_bytes_max = fixed.output_bytes_max;
	ret_config->granted = fixed.granted;
	if (get_texts(&bytes, end, fixed.arguments_count, &ret_config->arguments) < 0 ||
	    get_texts(&bytes, end, fixed.environment_count, &ret_config->environment) < 0)
		return -EBADMSG;
	text = get_text(&bytes, end);
	if (text == NULL)
		return -EBADMSG;
	ret_config->entry = mem_strdup(text);
	for (uint32_t i = 0; i < fixed.paths_count; i++) {
		if (get_path(&bytes, end, ret_config) < 0)
			return -EBADMSG;
	}
	return bytes == end ? 0 : -EBADMSG;
}

int
protocol_end_get(const char *bytes, size_t length, struct protocol_end *ret_end)
{
	struct protocol_result result;

	if (length < sizeof(result))
		return -EBADMSG;
	memcpy(&result, bytes, sizeof(result));
	bytes += sizeof(result);
	length -= sizeof(result);
	if (result.kind >= RESULT_KIND_COUNT || result.sentence_length > length)
		return -EBADMSG;
	*ret_end = (struct protocol_end){
		.kind = (enum result_kind)result.kind,
		.value = result.value,
		.sentence = bytes,
		.sentence_length = result.sentence_length,
		.output = bytes + result.sentence_length,
		.output_length = length - result.sentence_length,
	};
	return 0;
}
