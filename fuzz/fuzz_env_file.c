/*
 * Fuzzes --env-file: what parses are variables, and what does not is told by line alone.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=gnu11 -Isrc \
 *		fuzz/fuzz_env_file.c src/config/env_file.c src/policy/env.c \
 *		src/util/{error,fd,mem,strings}.c -o fuzz_env_file
 *	./fuzz_env_file -dict=fuzz/env_file.dict fuzz/corpus/env_file
 */
#include <stdint.h>
#include <string.h>

#include "config/env_file.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every entry is one that "KEY=VALUE" or "KEY" on the command line would have made. */
static void
check_entries(const struct env_request *env)
{
	struct env_request again = { 0 };
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < env->count; i++) {
		const struct env_entry *entry = &env->entries[i];
		_cleanup_free_ char *text = entry->value != NULL
						? mem_printf("%s=%s", entry->key, entry->value)
						: mem_strdup(entry->key);

		assert(env_request_add(&again, text, &err) == 0);
		assert(again.entries[i].kind == entry->kind);
	}
	env_request_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An own copy without a NUL behind it, so that reading beyond it is seen. */
	_cleanup_free_ char *text = mem_zalloc(size, 1);
	struct env_request env = { 0 };
	struct error err = ERROR_INIT;
	struct strv environment = STRV_INIT;

	memcpy(text, data, size);
	if (env_file_parse(text, size, "f", &env, &err) < 0)
		assert(strncmp(err.message, "f:", 2) == 0);
	check_entries(&env);
	env_build(&env, NULL, "full", &environment);
	assert(environment.count >= 4);
	strv_done(&environment);
	env_request_done(&env);
	return 0;
}
