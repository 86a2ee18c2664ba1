/*
 * Fuzzes what porta-toml does with a stranger's porta.toml, without its walls, and what porta does with the answer:
 * whatever the file, the answer is settings or a mistake with its place. The same bytes as an answer are taken too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/project_file.h"
#include "config/toml_json.h"
#include "config/toml_shim.h"
#include "util/json.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jmp_buf given_up;

/* What the parser holds, which it cannot free when it gives up; of this run where `run` says so. */
#define HELD_MAX ((size_t)1 << 17)

static struct held {
	void *memory; /* NULL: freed */
	size_t run;
} held[HELD_MAX];
static size_t this_run;
static bool is_parsing;

void *_Znwm(size_t size);
void _ZdlPv(void *memory);
void _ZdlPvm(void *memory, size_t size);
const char *__asan_default_options(void);

/* libFuzzer's own memory comes from the sanitizer's operator new. */
const char *
__asan_default_options(void)
{
	return "alloc_dealloc_mismatch=0";
}

/* The place of `memory`, or where it can be put. */
static struct held *
find_held(const void *memory)
{
	size_t index = ((uintptr_t)memory >> 4) * 0x9e3779b97f4a7c15U >> 47;

	while (held[index].run == this_run && held[index].memory != memory)
		index = (index + 1) % HELD_MAX;
	return &held[index];
}

/* operator new */
void *
_Znwm(size_t size)
{
	void *memory = mem_zalloc(size > 0 ? size : 1, 1);

	if (is_parsing)
		*find_held(memory) = (struct held){ memory, this_run };
	return memory;
}

/* operator delete */
void
_ZdlPv(void *memory)
{
	struct held *place = is_parsing && memory != NULL ? find_held(memory) : NULL;

	if (place != NULL && place->run == this_run)
		place->memory = NULL;
	free(memory);
}

void
_ZdlPvm(void *memory, size_t size)
{
	(void)size;
	_ZdlPv(memory);
}

void
toml_give_up(void)
{
	for (size_t i = 0; i < HELD_MAX; i++) {
		if (held[i].run == this_run)
			free(held[i].memory);
	}
	longjmp(given_up, 1);
}

static void
check_setting(const struct project_setting *setting)
{
	assert(setting->section != NULL);
	assert(setting->sub_key == NULL || setting->key != NULL);
	assert(setting->kind != PROJECT_SETTING_VALUE || setting->values_count == 1);
	for (size_t i = 0; i < setting->values_count; i++) {
		const struct project_value *value = &setting->values[i];
		bool has_text = value->kind == PROJECT_VALUE_STRING || value->kind == PROJECT_VALUE_INTEGER;

		assert((value->text != NULL) == has_text);
	}
}

/* Whether there are settings, or a mistake in the file, and none of porta-toml. */
static bool
take(const char *answer, size_t length)
{
	struct project_file file = { .path = mem_strdup("porta.toml") };
	struct error err = ERROR_INIT;
	int r = project_file_take_answer(answer, length, &file, &err);

	assert(r == 0 || err.message[0] != '\0');
	for (size_t i = 0; r == 0 && i < file.settings_count; i++)
		check_setting(&file.settings[i]);
	project_file_done(&file);
	return r == 0 || r == -EINVAL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An own copy without a NUL behind it, so that reading beyond it is seen. */
	char *text = mem_zalloc(size > 0 ? size : 1, 1);
	struct strbuf answer = STRBUF_INIT;

	if (size > 0)
		memcpy(text, data, size);
	this_run++;
	is_parsing = true;
	if (setjmp(given_up) == 0) {
		toml_json_put(&answer, text, size);
		is_parsing = false;
		assert(answer.length <= TOML_JSON_BYTES_MAX);
		assert(take(answer.text, answer.length));
	}
	is_parsing = false;
	strbuf_done(&answer);
	(void)take(text, size);
	free(text);
	return 0;
}
