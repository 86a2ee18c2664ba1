/* Where one request goes; see hop.h. */
#include "http/hop.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/net_decide.h"
#include "util/mem.h"

static void
forget_parts(struct http_hop *hop)
{
	free(TAKE_PTR(hop->scheme));
	free(TAKE_PTR(hop->host));
	strbuf_done(&hop->refused);
}

void
http_hop_done(struct http_hop *hop)
{
	forget_parts(hop);
	if (hop->url != NULL)
		curl_url_cleanup(TAKE_PTR(hop->url));
}

/* A part of the URL, the caller's to free; NULL where it has none. */
static char *
part_of(CURLU *url, CURLUPart part, unsigned int flags)
{
	_cleanup_free_ char *copy = NULL;
	char *text = NULL;

	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(text);
	curl_free(text);
	return TAKE_PTR(copy);
}

static int
set_host(struct http_hop *hop, struct error *err)
{
	_cleanup_free_ char *text = part_of(hop->url, CURLUPART_HOST, 0);
	_cleanup_free_ char *zone = part_of(hop->url, CURLUPART_ZONEID, 0);
	char canonical[NET_NAME_MAX_CHARS + 1];
	struct net_address address;
	size_t length = text == NULL ? 0 : strlen(text);

	if (length == 0 || zone != NULL)
		return error_set(err, -EINVAL, "the URL has no host, or one with a scope");
	if (text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		hop->is_address = true;
		hop->host = mem_strdup(text + 1);
		return net_address_parse(hop->host, &address) < 0
			   ? error_set(err, -EINVAL, "the URL has no host, or one with a scope")
			   : 0;
	}
	hop->is_address = net_address_parse(text, &address) == 0;
	if (hop->is_address) {
		hop->host = mem_strdup(text);
		return 0;
	}
	if (net_name_canonical(text, canonical, err) < 0)
		return -EINVAL;
	hop->host = mem_strdup(canonical);
	return 0;
}

/* The parts of hop->url. */
static int
set_parts(struct http_hop *hop, struct error *err)
{
	_cleanup_free_ char *user = part_of(hop->url, CURLUPART_USER, 0);
	_cleanup_free_ char *password = part_of(hop->url, CURLUPART_PASSWORD, 0);
	_cleanup_free_ char *port = part_of(hop->url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	uint64_t number = 0;
	int r;

	forget_parts(hop);
	hop->scheme = part_of(hop->url, CURLUPART_SCHEME, 0);
	if (hop->scheme == NULL ||
	    (!str_equal(hop->scheme, "http") && !str_equal(hop->scheme, "https")))
		return error_set(err, -EINVAL, "the URL is neither http nor https");
	if (user != NULL || password != NULL)
		return error_set(err, -EINVAL, "the URL has a user or a password");
	if (port == NULL || str_parse_u64(port, 1, UINT16_MAX, &number) < 0)
		return error_set(err, -EINVAL, "the URL has no port that can be");
	hop->port = (uint16_t)number;
	r = set_host(hop, err);
	if (r < 0)
		return r;
	if (!hop->is_address && !net_decide_name(hop->policy, hop->host, NULL))
		return error_set(err, -EACCES, "the network rules do not admit %s:%u", hop->host,
				 (unsigned int)hop->port);
	return 0;
}

int
http_hop_set(struct http_hop *hop, const char *url, struct error *err)
{
	CURLUcode code;

	hop->url = curl_url();
	if (hop->url == NULL)
		return error_set(err, -ENOMEM, "libcurl cannot be used");
	code = curl_url_set(hop->url, CURLUPART_URL, url, 0);
	if (code != CURLUE_OK)
		return error_set(err, -EINVAL, "this is no URL: %s", curl_url_strerror(code));
	return set_parts(hop, err);
}

int
http_hop_follow(struct http_hop *hop, const char *location, bool *ret_same_origin,
		struct error *err)
{
	_cleanup_free_ char *scheme = TAKE_PTR(hop->scheme);
	_cleanup_free_ char *host = TAKE_PTR(hop->host);
	uint16_t port = hop->port;
	CURLUcode code = curl_url_set(hop->url, CURLUPART_URL, location, CURLU_URLENCODE);
	int r;

	if (code != CURLUE_OK)
		return error_set(err, -EINVAL, "%s redirects to what is no URL: %s", host,
				 curl_url_strerror(code));
	r = set_parts(hop, err);
	if (r < 0)
		return error_wrap(err, r, "%s redirects elsewhere", host);
	*ret_same_origin = port == hop->port && str_equal(scheme, hop->scheme) &&
			   str_equal(host, hop->host);
	return 0;
}

static bool
read_address(const struct sockaddr *address, struct net_address *ret_address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		net_address_from_v4_bytes((const uint8_t *)&v4->sin_addr, ret_address);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		net_address_from_v6_bytes(v6->sin6_addr.s6_addr, ret_address);
		return true;
	}
	return false;
}

bool
http_hop_may_connect(struct http_hop *hop, const struct sockaddr *address)
{
	const char *const names[] = { hop->host };
	char text[NET_ADDRESS_TEXT_BYTES];
	struct net_address parsed;

	if (!read_address(address, &parsed))
		return false;
	if (net_decide_connect(hop->policy, &parsed, hop->port, names, hop->is_address ? 0 : 1,
			       NULL) == NET_VERDICT_ALLOW)
		return true;
	net_address_format(&parsed, text);
	strbuf_done(&hop->refused);
	strbuf_printf(&hop->refused, "the network rules do not admit %s:%u", hop->host,
		      (unsigned int)hop->port);
	if (!hop->is_address)
		strbuf_printf(&hop->refused, ", which is %s", text);
	return false;
}
