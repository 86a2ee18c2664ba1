/* An HTTP request, checked; see request.h. */
#include "http/request.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http/base64.h"
#include "util/mem.h"

#define METHOD_MAX_CHARS 32

/* CONNECT makes a tunnel, TRACE gives the request back with what was added to it. */
static const char *const refused_methods[] = { "CONNECT", "TRACE", "TRACK" };

/* Of the connection or of framing, which are the client's own (RFC 9110 7.6.1, RFC 9112 6). */
static const char *const refused_headers[] = {
	"Connection", "Content-Length", "Expect", "Host",    "Keep-Alive", "Proxy-Authorization",
	"Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
};

static const char *const credential_headers[] = { "Authorization", "Cookie" };
static const char *const body_headers[] = { "Content-Encoding", "Content-Language",
					    "Content-Location", "Content-Type" };

void
http_request_done(struct http_request *request)
{
	free(request->method);
	free(request->url);
	free(request->body);
	strv_done(&request->headers);
	*request = (struct http_request)HTTP_REQUEST_INIT;
}

/* RFC 9110 5.6.2 */
static bool
is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	}
	return true;
}

static bool
is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(text, list[i]) == 0)
			return true;
	}
	return false;
}

static int
read_method(const struct json_place *place, struct http_request *request, struct error *err)
{
	struct json_place member;
	const char *method = "GET";
	int r = 0;

	if (json_member(place, "method", &member))
		r = json_get_string(&member, &method, err);
	if (r < 0)
		return r;
	if (!is_token(method) || strlen(method) > METHOD_MAX_CHARS)
		return error_set(err, -EINVAL, "this is no HTTP method");
	if (is_one_of(method, refused_methods, ARRAY_SIZE(refused_methods)))
		return error_set(err, -EINVAL, "the method %s is refused", method);
	request->method = mem_strdup(method);
	return 0;
}

static int
read_url(const struct json_place *place, struct http_request *request, struct error *err)
{
	struct json_place member;
	const char *url;
	int r;

	if (!json_member(place, "url", &member))
		return error_set(err, -EINVAL, "the request has no url");
	r = json_get_string(&member, &url, err);
	if (r < 0)
		return r;
	if (strlen(url) > HTTP_URL_MAX_BYTES)
		return error_set(err, -EINVAL, "the URL is longer than %zu bytes", HTTP_URL_MAX_BYTES);
	for (const char *c = url; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == '\x7f')
			return error_set(err, -EINVAL, "the URL has a blank or a control character");
	}
	request->url = mem_strdup(url);
	return 0;
}

static int
add_header(struct http_request *request, const char *name, const char *value, struct error *err)
{
	if (!is_token(name))
		return error_set(err, -EINVAL, "this is no name of a header");
	if (is_one_of(name, refused_headers, ARRAY_SIZE(refused_headers)))
		return error_set(err, -EINVAL, "the header %s is refused: it is the client's own", name);
	for (const char *c = value; *c != '\0'; c++) {
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == '\x7f')
			return error_set(err, -EINVAL, "the header %s has a control character", name);
	}
	value += strspn(value, " \t");
	strv_take(&request->headers, *value == '\0' ? mem_printf("%s;", name)
						    : mem_printf("%s: %s", name, value));
	return 0;
}

static int
read_headers(const struct json_place *place, struct http_request *request, struct error *err)
{
	struct json_place headers;
	struct json_place member = { 0 };
	size_t bytes = 0;
	int r;

	if (!json_member(place, "headers", &headers) || json_kind_of(&headers) == JSON_KIND_NULL)
		return 0;
	r = json_expect(&headers, JSON_KIND_OBJECT, err);
	if (r < 0)
		return r;
	if (json_count(&headers) > HTTP_HEADERS_MAX)
		return error_set(err, -EINVAL, "more than %d headers", HTTP_HEADERS_MAX);
	while (json_next_member(&headers, &member)) {
		const char *value;

		r = json_get_string(&member, &value, err);
		if (r == 0)
			r = add_header(request, member.name, value, err);
		if (r < 0)
			return r;
		bytes += strlen(member.name) + strlen(value);
	}
	if (bytes > HTTP_HEADERS_MAX_BYTES)
		return error_set(err, -EINVAL, "the headers are longer than %zu bytes",
				 HTTP_HEADERS_MAX_BYTES);
	return 0;
}

static int
read_body(const struct json_place *place, struct http_request *request, struct error *err)
{
	struct json_place member;
	const char *encoding = "";
	const char *body;
	int r = 0;

	if (json_member(place, "body_encoding", &member))
		r = json_get_string(&member, &encoding, err);
	if (r < 0)
		return r;
	if (!str_equal(encoding, "") && !str_equal(encoding, "base64"))
		return error_set(err, -EINVAL, "body_encoding is \"base64\" or not there");
	if (!json_member(place, "body", &member) || json_kind_of(&member) == JSON_KIND_NULL)
		return 0;
	r = json_get_string(&member, &body, err);
	if (r < 0)
		return r;
	request->has_body = true;
	if (str_equal(encoding, "base64"))
		return base64_decode(body, &request->body, &request->body_length) < 0
			   ? error_set(err, -EINVAL, "the body is not base64")
			   : 0;
	request->body = mem_strdup(body);
	request->body_length = strlen(body);
	return 0;
}

int
http_request_read(const struct json_place *place, struct http_request *ret_request,
		  struct error *err)
{
	int r = json_expect(place, JSON_KIND_OBJECT, err);

	if (r == 0)
		r = read_method(place, ret_request, err);
	if (r == 0)
		r = read_url(place, ret_request, err);
	if (r == 0)
		r = read_headers(place, ret_request, err);
	return r == 0 ? read_body(place, ret_request, err) : r;
}

bool
http_header_is(const char *header, const char *name)
{
	size_t length = strlen(name);

	return strncasecmp(header, name, length) == 0 &&
	       (header[length] == ':' || header[length] == ';');
}

bool
http_request_has_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->headers.count; i++) {
		if (http_header_is(request->headers.items[i], name))
			return true;
	}
	return false;
}

bool
http_is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void
drop_headers(struct http_request *request, const char *const *names, size_t count)
{
	struct strv kept = STRV_INIT;

	for (size_t i = 0; i < request->headers.count; i++) {
		const char *header = request->headers.items[i];
		bool is_dropped = false;

		for (size_t k = 0; k < count; k++)
			is_dropped |= http_header_is(header, names[k]);
		if (!is_dropped)
			strv_add(&kept, header);
	}
	strv_done(&request->headers);
	request->headers = kept;
}

void
http_request_redirect(struct http_request *request, long status, bool same_origin)
{
	bool is_read = str_equal(request->method, "GET") || str_equal(request->method, "HEAD");
	bool becomes_get = status == 303 ? !is_read
					 : (status == 301 || status == 302) &&
					       str_equal(request->method, "POST");

	if (becomes_get) {
		free(request->method);
		request->method = mem_strdup("GET");
		free(TAKE_PTR(request->body));
		request->body_length = 0;
		request->has_body = false;
		drop_headers(request, body_headers, ARRAY_SIZE(body_headers));
	}
	if (!same_origin)
		drop_headers(request, credential_headers, ARRAY_SIZE(credential_headers));
}
