/* Prints the table of flags as JSON, an object a line: what docs/porta_toml.py makes the keys of porta.toml from. */
#include <stdio.h>
#include <string.h>

#include "cli/run_options.h"

static void
put_member(struct strbuf *out, const char *name, const char *text)
{
	strbuf_printf(out, ",\"%s\":", name);
	if (text != NULL)
		strbuf_put_json(out, text);
	else
		strbuf_puts(out, "null");
}

static void
put_option(struct strbuf *out, const struct run_option *option)
{
	static const char *const forms[] = { [RUN_OPTION_BARE] = "bare",
					     [RUN_OPTION_VALUE] = "value",
					     [RUN_OPTION_OPTIONAL] = "optional" };
	const char *word;

	strbuf_puts(out, "{\"flag\":");
	strbuf_put_json(out, option->name);
	put_member(out, "key", option->key);
	put_member(out, "form", forms[option->form]);
	put_member(out, "value", option->value);
	put_member(out, "help", option->help);
	strbuf_printf(out, ",\"once\":%s,\"is_number\":%s,\"words\":[", option->once ? "true" : "false",
		      option->is_number ? "true" : "false");
	for (size_t i = 0; option->word != NULL && (word = option->word(i)) != NULL; i++) {
		strbuf_puts(out, i > 0 ? "," : "");
		strbuf_put_json(out, word);
	}
	strbuf_puts(out, "]}");
}

int
main(void)
{
	for (size_t i = 0; i < run_options_count; i++) {
		struct strbuf line = STRBUF_INIT;

		put_option(&line, &run_options_table[i]);
		puts(line.text);
		strbuf_done(&line);
	}
	return 0;
}
