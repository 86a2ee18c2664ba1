/* The HTTP client; see client.h. */
#include "http/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/answer.h"
#include "http/hop.h"
#include "http/request.h"
#include "util/clock.h"
#include "util/mem.h"

struct http_client {
	CURL *easy;
	const struct policy *policy;
};

static size_t
take_header(char *bytes, size_t size, size_t count, void *data)
{
	return http_answer_add_header(data, bytes, size * count) ? size * count : 0;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *data)
{
	return http_answer_add_body(data, bytes, size * count) ? size * count : 0;
}

/* The address that libcurl is about to connect to, by the rules. */
static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_hop *hop = data;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN || !http_hop_may_connect(hop, &address->addr))
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

struct http_client *
http_client_new(const struct policy *policy, struct error *err)
{
	struct http_client *client;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		error_set(err, -ENOMEM, "libcurl cannot be used");
		return NULL;
	}
	client = MEM_NEW(struct http_client);
	client->policy = policy;
	client->easy = curl_easy_init();
	if (client->easy == NULL) {
		error_set(err, -ENOMEM, "libcurl cannot be used");
		http_client_free(client);
		return NULL;
	}
	return client;
}

void
http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	if (client->easy != NULL)
		curl_easy_cleanup(client->easy);
	curl_global_cleanup();
	free(client);
}

/* What of each request is the same: nothing of the environment, nothing that leads elsewhere. */
static bool
set_always(CURL *easy)
{
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_SECONDS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK;
}

/* Where the machine's owner keeps other certificates than libcurl was built with, as OpenSSL reads it. */
static bool
set_certificates(CURL *easy)
{
	const char *file = getenv("SSL_CERT_FILE");
	const char *directory = getenv("SSL_CERT_DIR");

	return (file == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, file) == CURLE_OK) &&
	       (directory == NULL || curl_easy_setopt(easy, CURLOPT_CAPATH, directory) == CURLE_OK);
}

static bool
set_request(CURL *easy, const struct http_request *request, struct curl_slist **ret_headers)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no waiting for a 100 */
	bool is_set = true;

	for (size_t i = 0; i < request->headers.count; i++)
		list = curl_slist_append(list, request->headers.items[i]);
	if (!http_request_has_header(request, "User-Agent"))
		list = curl_slist_append(list, "User-Agent: porta/" PORTA_VERSION);
	/* libcurl would call a body a form. */
	if (request->has_body && !http_request_has_header(request, "Content-Type"))
		list = curl_slist_append(list, "Content-Type:");
	*ret_headers = list;
	if (str_equal(request->method, "HEAD"))
		is_set = curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	else if (request->has_body || str_equal(request->method, "POST"))
		is_set = curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
					  request->has_body ? request->body : "") == CURLE_OK &&
			 curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
					  (curl_off_t)request->body_length) == CURLE_OK;
	return is_set && list != NULL &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list) == CURLE_OK;
}

/* Why nothing came, in a person's words. */
static int
explain_failure(CURL *easy, CURLcode code, const struct http_hop *hop,
		const struct http_answer *answer, const char *detail, struct error *err)
{
	long os_error = 0;

	if (hop->refused.length > 0)
		return error_set(err, -EACCES, "%s", hop->refused.text);
	if (answer->is_too_long)
		return error_set(err, -EFBIG,
				 "the answer of %s is longer than %zu MiB, or its headers than %zu KiB", hop->host, HTTP_BODY_MAX_BYTES >> 20,
				 HTTP_ANSWER_HEADERS_MAX_BYTES >> 10);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(err, -ETIMEDOUT, "%s timed out", hop->host);
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_set(err, -ENOENT, "the name %s has no address", hop->host);
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
		return error_set(err, -ECONNREFUSED, "cannot connect to %s:%u: %s", hop->host,
				 (unsigned int)hop->port,
				 os_error == 0 ? detail : strerror((int)os_error));
	default:
		return error_set(err, -EIO, "%s: %s", hop->host,
				 detail[0] != '\0' ? detail : curl_easy_strerror(code));
	}
}

/* One request to one place. */
static int
send_hop(struct http_client *client, const struct http_request *request, struct http_hop *hop,
	 uint64_t timeout_ms, struct http_answer *answer, struct error *err)
{
	CURL *easy = client->easy;
	char detail[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	/* Connections stay. */
	curl_easy_reset(easy);
	if (set_always(easy) && set_certificates(easy) && set_request(easy, request, &headers) &&
	    curl_easy_setopt(easy, CURLOPT_CURLU, hop->url) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, hop) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer) == CURLE_OK)
		code = curl_easy_perform(easy);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return explain_failure(easy, code, hop, answer, detail, err);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	return 0;
}

/* To the last hop. */
static int
send_request(struct http_client *client, struct http_request *request, uint64_t timeout_ms,
	     struct http_hop *hop, struct http_answer *answer, struct error *err)
{
	uint64_t deadline_ms = timeout_ms == 0 ? 0 : clock_now_ms() + timeout_ms;
	int r = http_hop_set(hop, request->url, err);

	for (int redirects = 0; r == 0; redirects++) {
		uint64_t now = clock_now_ms();
		bool same_origin;

		if (deadline_ms != 0 && now >= deadline_ms)
			return error_set(err, -ETIMEDOUT, "%s timed out", hop->host);
		r = send_hop(client, request, hop, deadline_ms == 0 ? 0 : deadline_ms - now, answer, err);
		if (r < 0 || !http_is_redirect(answer->status) || answer->location == NULL)
			return r;
		if (redirects == HTTP_REDIRECTS_MAX)
			return error_set(err, -ELOOP, "more than %d redirects", HTTP_REDIRECTS_MAX);
		r = http_hop_follow(hop, answer->location, &same_origin, err);
		if (r == 0) {
			http_request_redirect(request, answer->status, same_origin);
			http_answer_done(answer);
		}
	}
	return r;
}

json_value *
http_client_answer(struct http_client *client, const struct json_place *place, uint64_t timeout_ms)
{
	struct http_request request = HTTP_REQUEST_INIT;
	struct http_answer answer = HTTP_ANSWER_INIT;
	struct http_hop hop = { .policy = client->policy };
	struct error err = ERROR_INIT;
	json_value *value;
	int r = http_request_read(place, &request, &err);

	if (r == 0)
		r = send_request(client, &request, timeout_ms, &hop, &answer, &err);
	if (r == 0) {
		value = http_answer_json(&answer);
	} else {
		value = json_new_object();
		json_set(value, "error", json_new_string(err.message));
	}
	http_hop_done(&hop);
	http_answer_done(&answer);
	http_request_done(&request);
	return value;
}
