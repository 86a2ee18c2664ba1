/* Where one request goes: its URL taken apart, and what the network rules say of it. */
#ifndef PORTA_HTTP_HOP_H
#define PORTA_HTTP_HOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "util/error.h"
#include "util/strings.h"

struct http_hop {
	const struct policy *policy;
	CURLU *url;
	char *scheme;
	char *host; /* canonical, or an address without brackets */
	bool is_address;
	uint16_t port;
	struct strbuf refused; /* why no address may be connected to, where that is so */
};

/* http or https, without user or password, to a host that the rules may admit. 0 or -EINVAL, -EACCES and a sentence. */
int http_hop_set(struct http_hop *hop, const char *url, struct error *err);
/* To where a Location leads, seen from here. As http_hop_set. */
int http_hop_follow(struct http_hop *hop, const char *location, bool *ret_same_origin,
		    struct error *err);
void http_hop_done(struct http_hop *hop);

/* Whether the rules admit this address for the hop's host and port; if not, `refused` says so. */
bool http_hop_may_connect(struct http_hop *hop, const struct sockaddr *address);

#endif
