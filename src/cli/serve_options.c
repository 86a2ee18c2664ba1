/* What `porta serve` has beside the flags of `porta run`; see serve_options.h. */
#include "cli/serve_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void
serve_options_done(struct serve_options *options)
{
	free(options->http_host);
	strv_done(&options->allow_origins);
	strv_done(&options->allow_hosts);
}

static bool
is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

int
serve_options_set_http(struct serve_options *options, const char *value, struct error *err)
{
	static const char form[] = "an address and a port belong here, as in 127.0.0.1:8080 or [::1]:8080";
	const char *colon = strrchr(value, ':');
	_cleanup_free_ char *host = NULL;
	uint64_t port;

	if (colon == NULL)
		return error_set(err, -EINVAL, "%s", form);
	if (value[0] == '[' && colon > value + 1 && colon[-1] == ']')
		host = mem_strndup(value + 1, (size_t)(colon - value) - 2);
	else
		host = mem_strndup(value, (size_t)(colon - value));
	if (str_parse_u64(colon + 1, 0, UINT16_MAX, &port) < 0 ||
	    (!is_address(host) && !str_equal(host, "localhost")) ||
	    (strchr(host, ':') != NULL && value[0] != '['))
		return error_set(err, -EINVAL, "%s", form);
	options->http_host = TAKE_PTR(host);
	options->http_port = (uint16_t)port;
	return 0;
}

int
serve_options_add_origin(struct serve_options *options, const char *value, struct error *err)
{
	const char *host = str_starts_with(value, "https://")  ? value + 8
			   : str_starts_with(value, "http://") ? value + 7
							       : NULL;

	if (host == NULL || *host == '\0' || strpbrk(host, "/?#@ ") != NULL)
		return error_set(err, -EINVAL,
				 "an origin is a scheme and a host, as in https://app.example.com");
	strv_add(&options->allow_origins, value);
	return 0;
}

int
serve_options_set_workers(struct serve_options *options, const char *value, struct error *err)
{
	if (str_parse_u64(value, 1, SERVE_WORKERS_MAX, &options->workers_max) < 0)
		return error_set(err, -EINVAL, "a number from 1 to %d belongs here", SERVE_WORKERS_MAX);
	return 0;
}

bool
serve_options_is_loopback(const struct serve_options *options)
{
	struct in_addr address;

	if (inet_pton(AF_INET, options->http_host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == 127;
	return str_equal(options->http_host, "::1") || str_equal(options->http_host, "localhost");
}

int
serve_options_check(const struct serve_options *options, struct error *err)
{
	if (options->http_host == NULL) {
		if (options->token_file != NULL)
			return error_set(err, -EINVAL, "--token-file is for --http");
		if (options->allow_origins.count > 0 || options->allow_hosts.count > 0)
			return error_set(err, -EINVAL, "%s is for --http",
					 options->allow_origins.count > 0 ? "--allow-origin" : "--allow-host");
		return 0;
	}
	if (!serve_options_is_loopback(options) && options->token_file == NULL)
		return error_set(err, -EINVAL,
				 "--http %s is open to other machines: --token-file FILE says who may come",
				 options->http_host);
	return 0;
}
