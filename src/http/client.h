/*
 * The HTTP client of WASM agents, by libcurl: http and https alone, without proxies, .netrc, cookies
 * or any other setting of the machine but its certificates. Each hop, and each address that is really
 * connected to, is judged by the network rules; a sandbox around the process does so once more.
 */
#ifndef PORTA_HTTP_CLIENT_H
#define PORTA_HTTP_CLIENT_H

#include <stdint.h>

#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"

/* Of an answer; more is an error, not cut. */
#define HTTP_BODY_MAX_BYTES	((size_t)8 * 1024 * 1024)
#define HTTP_ANSWER_HEADERS_MAX_BYTES ((size_t)256 * 1024)
#define HTTP_REDIRECTS_MAX	10
#define HTTP_CONNECT_SECONDS	30

struct http_client;

/* `policy` stays the caller's, finished (policy_finish), and outlives the client. NULL and a sentence. */
struct http_client *http_client_new(const struct policy *policy, struct error *err);
void http_client_free(struct http_client *client);

/*
 * Makes one request, as http_request_read takes it, and follows where it is sent to: {"status",
 * "headers": {name: VALUE}, "body"}, the body in base64 with "body_encoding" where it is no text, or
 * {"error"}. Names of headers are in lower case; several of one name are one, with ", " between.
 * `timeout_ms` is for all of it; 0: none. The caller frees the answer.
 */
json_value *http_client_answer(struct http_client *client, const struct json_place *request,
			       uint64_t timeout_ms);

#endif
