/*
 * An HTTP request as a WASM agent or an MCP client asks for it, checked before anything is sent (RFC
 * 9110): {"method", "url", "headers": {NAME: VALUE}, "body", "body_encoding"}. Pure.
 *
 * What is refused could make a server see another request than the one that was judged: a header of
 * the connection or of framing, line ends, methods that are no requests for a resource.
 */
#ifndef PORTA_HTTP_REQUEST_H
#define PORTA_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "util/json.h"
#include "util/strings.h"

#define HTTP_URL_MAX_BYTES     ((size_t)16 * 1024)
#define HTTP_HEADERS_MAX       128
#define HTTP_HEADERS_MAX_BYTES ((size_t)128 * 1024)

struct http_request {
	char *method;	     /* "GET" where none is named */
	char *url;	     /* as written; what it holds is the client's to judge */
	struct strv headers; /* "Name: value"; of an empty value "Name;" */
	char *body;
	size_t body_length;
	bool has_body;
};

#define HTTP_REQUEST_INIT { .headers = STRV_INIT }

/* 0, or -EINVAL and a sentence. `ret_request` is HTTP_REQUEST_INIT. */
int http_request_read(const struct json_place *place, struct http_request *ret_request,
		      struct error *err);
void http_request_done(struct http_request *request);

/* "Name: value" or "Name;": whether its name is `name`, in any case. */
bool http_header_is(const char *header, const char *name);
bool http_request_has_header(const struct http_request *request, const char *name);

/* A status that a Location belongs to, which asks for another request: 301, 302, 303, 307, 308. */
bool http_is_redirect(long status);
/*
 * What of a request is sent to where a redirect leads (Fetch, 4.4 HTTP-redirect fetch): after 303, and
 * after 301 and 302 of a POST, a GET without body; to another origin no credentials.
 */
void http_request_redirect(struct http_request *request, long status, bool same_origin);

#endif
