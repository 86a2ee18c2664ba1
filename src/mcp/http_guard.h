/* Who may ask over HTTP: pure decisions on a request's headers. */
#ifndef PORTA_MCP_HTTP_GUARD_H
#define PORTA_MCP_HTTP_GUARD_H

#include <stdbool.h>

#include "util/strings.h"

/*
 * Host and Origin, each NULL where it is missing, against DNS rebinding: a page of another site that
 * has its name lead here. A server on loopback is asked by names of loopback, and pages of
 * loopback; elsewhere a page may ask only the host that it came from. `hosts` and `origins` are allowed beside.
 */
bool http_guard_host(const char *host, bool is_loopback, const struct strv *hosts);
bool http_guard_origin(const char *origin, const char *host, bool is_loopback,
		       const struct strv *origins);
/* "Bearer TOKEN"; takes as long whatever is wrong with it. */
bool http_guard_token(const char *authorization, const char *token);
/* Whether an Accept header lets both kinds of answer through; NULL is "anything". */
bool http_guard_accepts(const char *accept);
/* "application/json", with parameters or without. */
bool http_guard_is_json(const char *content_type);

#endif
