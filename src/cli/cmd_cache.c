/* porta cache: the compiled code of WASM agents, listed and cleared. */
#include <inttypes.h>
#include <time.h>

#include "cli/command.h"
#include "cli/output.h"
#include "util/json.h"
#include "util/mem.h"
#include "wasm/cache.h"

static const char *const words[] = { "list", "clear", NULL };

static void
put_item(const struct cache_item *item, struct strbuf *out)
{
	char day[sizeof("2026-01-01")] = "";
	struct tm used;

	if (localtime_r(&item->used, &used) != NULL)
		strftime(day, sizeof(day), "%Y-%m-%d", &used);
	strbuf_printf(out, "%s  %10" PRIu64 "  %s\n", day, item->bytes, item->key);
}

static void
put_list(const struct cache *cache, const struct cache_item *items, size_t count, struct strbuf *out)
{
	uint64_t bytes = 0;

	if (cache->path == NULL) {
		strbuf_puts(out, "there is no cache: neither XDG_CACHE_HOME nor HOME is set\n");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		put_item(&items[i], out);
		bytes += items[i].bytes;
	}
	strbuf_printf(out, "%zu compiled modules, %" PRIu64 " bytes, in ", count, bytes);
	strbuf_put_printable(out, cache->path);
	strbuf_putc(out, '\n');
}

static void
put_list_json(const struct cache *cache, const struct cache_item *items, size_t count,
	      struct strbuf *out)
{
	_cleanup_json_ json_value *object = json_new_object();
	json_value *entries = json_new_array();

	for (size_t i = 0; i < count; i++) {
		json_value *entry = json_new_object();

		json_set(entry, "key", json_new_string(items[i].key));
		json_set(entry, "bytes", json_new_integer((int64_t)items[i].bytes));
		json_set(entry, "used", json_new_integer((int64_t)items[i].used));
		json_append(entries, entry);
	}
	if (cache->path != NULL)
		json_set(object, "directory", json_new_string(cache->path));
	json_set(object, "entries", entries);
	json_write(out, object, JSON_STYLE_INDENTED);
	strbuf_putc(out, '\n');
}

static int
list(const struct cache *cache, bool as_json, struct strbuf *out, struct error *err)
{
	_cleanup_free_ struct cache_item *items = NULL;
	size_t count;
	int r = cache_list(cache, &items, &count, err);

	if (r < 0)
		return r;
	if (as_json)
		put_list_json(cache, items, count, out);
	else
		put_list(cache, items, count, out);
	return 0;
}

static int
clear(const struct cache *cache, bool as_json, struct strbuf *out, struct error *err)
{
	uint64_t bytes;
	size_t count;
	int r = cache_clear(cache, &count, &bytes, err);

	if (r < 0)
		return r;
	strbuf_printf(out,
		      as_json ? "{\"removed\": %zu, \"bytes\": %" PRIu64 "}\n"
			      : "removed %zu compiled modules, %" PRIu64 " bytes\n",
		      count, bytes);
	return 0;
}

static int
work(const struct command_arguments *arguments, struct strbuf *out, struct error *err)
{
	struct cache cache = CACHE_INIT;
	int r;

	if (arguments->word != NULL && !str_equal(arguments->word, "list") &&
	    !str_equal(arguments->word, "clear")) {
		_cleanup_free_ char *quoted = output_quote(arguments->word);

		return error_set(err, -1, "%s is neither list nor clear", quoted);
	}
	r = cache_open(&cache, false, err);
	if (r == 0)
		r = arguments->word != NULL && str_equal(arguments->word, "clear")
			? clear(&cache, arguments->json, out, err)
			: list(&cache, arguments->json, out, err);
	cache_done(&cache);
	return r;
}

static int
run_cache(int argc, char **argv)
{
	struct command_arguments arguments;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int r = command_parse_arguments(&command_cache, argc, argv, &arguments, &err);

	if (r == 0 && arguments.help)
		command_write_help(&command_cache, &text);
	else if (r == 0)
		r = work(&arguments, &text, &err);
	r = r < 0 ? output_fail("cache", &err, EXIT_CODE_FAILED) : output_print(&text);
	strbuf_done(&text);
	return r;
}

const struct command command_cache = {
	.name = "cache",
	.form = "[list|clear] [--json]",
	.summary = "list or clear the compiled code of WASM agents",
	.usage = "Lists the code of WASM agents that is kept compiled, with the day of its last\n"
		 "use and its size, or clears it. It is compiled anew when it is needed.\n"
		 "\n"
		 "  --json    as a JSON object\n",
	.has_json = true,
	.words = words,
	.run = run_cache,
};
