/* Writing TOML 1.0: what porta puts into a porta.toml. */
#ifndef PORTA_CONFIG_TOML_TEXT_H
#define PORTA_CONFIG_TOML_TEXT_H

#include "util/strings.h"

/* A basic string with its quotes; control characters are escaped, bytes that are not UTF-8 become U+FFFD. */
void toml_put_string(struct strbuf *out, const char *text);
/* A key: bare where it can be, else as toml_put_string. */
void toml_put_key(struct strbuf *out, const char *key);

#endif
