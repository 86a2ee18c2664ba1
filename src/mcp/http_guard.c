/* Who may ask over HTTP; see http_guard.h. */
#include "mcp/http_guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "util/mem.h"

/* The name in "name", "name:port", "[::1]:port"; NULL where it is none of these. The caller frees it. */
static char *
name_of(const char *host)
{
	size_t length;
	const char *rest;

	if (host[0] == '[') {
		const char *end = strchr(host, ']');

		if (end == NULL)
			return NULL;
		length = (size_t)(end - host) + 1;
	} else {
		length = strcspn(host, ":");
	}
	rest = host + length;
	if (length == 0 || (*rest != '\0' && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")] != '\0')))
		return NULL;
	return mem_strndup(host, length);
}

static bool
is_loopback_name(const char *name)
{
	struct in_addr address;

	if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool
is_listed(const char *name, const struct strv *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcasecmp(list->items[i], name) == 0)
			return true;
	}
	return false;
}

bool
http_guard_host(const char *host, bool is_loopback, const struct strv *hosts)
{
	_cleanup_free_ char *name = host == NULL ? NULL : name_of(host);

	if (name == NULL)
		return false;
	if (is_listed(name, hosts) || is_listed(host, hosts))
		return true;
	/* Elsewhere the token says who may come, unless names are given. */
	return is_loopback ? is_loopback_name(name) : hosts->count == 0;
}

bool
http_guard_origin(const char *origin, const char *host, bool is_loopback, const struct strv *origins)
{
	_cleanup_free_ char *name = NULL;
	const char *authority;

	if (origin == NULL || is_listed(origin, origins))
		return true;
	if (strncasecmp(origin, "http://", 7) == 0)
		authority = origin + 7;
	else if (strncasecmp(origin, "https://", 8) == 0)
		authority = origin + 8;
	else
		return false;
	name = name_of(authority);
	if (name == NULL)
		return false;
	if (is_loopback)
		return is_loopback_name(name);
	return host != NULL && strcasecmp(authority, host) == 0;
}

bool
http_guard_token(const char *authorization, const char *token)
{
	size_t length = strlen(token);
	const char *given;
	unsigned int different = 0;

	if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
		return false;
	given = authorization + 7;
	given += strspn(given, " ");
	/* Only the length can be learned by measuring. */
	if (strlen(given) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		different |= (unsigned char)given[i] ^ (unsigned char)token[i];
	return different == 0;
}

/* Whether a list of media ranges (RFC 9110, section 12.5.1) has the type; its quality counts only where it is 0. */
static bool
accepts(const char *accept, const char *type, const char *wildcard)
{
	while (*accept != '\0') {
		size_t length = strcspn(accept, ",");
		_cleanup_free_ char *range = mem_strndup(accept, length);
		char *name = range + strspn(range, " \t");
		bool is_refused = strstr(name, "q=0") != NULL && strstr(name, "q=0.") == NULL;

		name[strcspn(name, "; \t")] = '\0';
		if (!is_refused && (strcasecmp(name, type) == 0 || strcasecmp(name, wildcard) == 0 ||
				    strcmp(name, "*/*") == 0))
			return true;
		accept += length + (accept[length] == ',' ? 1 : 0);
	}
	return false;
}

bool
http_guard_accepts(const char *accept)
{
	return accept == NULL || (accepts(accept, "application/json", "application/*") &&
				  accepts(accept, "text/event-stream", "text/*"));
}

bool
http_guard_is_json(const char *content_type)
{
	static const char type[] = "application/json";
	size_t length = sizeof(type) - 1;

	return content_type != NULL && strncasecmp(content_type, type, length) == 0 &&
	       strchr("; \t", content_type[length]) != NULL;
}
