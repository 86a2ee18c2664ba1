/* Writing TOML; see toml_text.h. */
#include "config/toml_text.h"

#include <string.h>

void
toml_put_string(struct strbuf *out, const char *text)
{
	/* What the writer of JSON strings makes, DEL escaped and "/" not, is a basic string of TOML too. */
	strbuf_put_json(out, text);
}

void
toml_put_key(struct strbuf *out, const char *key)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	if (*key != '\0' && key[strspn(key, bare)] == '\0')
		strbuf_puts(out, key);
	else
		toml_put_string(out, key);
}
