/* porta serve --check: what would be served, and what each part may touch. */
#ifndef PORTA_SERVER_CHECK_H
#define PORTA_SERVER_CHECK_H

#include "mcp/edition.h"
#include "util/strings.h"

void check_put(const struct edition *edition, struct strbuf *out);

#endif
