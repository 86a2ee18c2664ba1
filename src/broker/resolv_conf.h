/* resolv.conf(5), as far as porta follows it. */
#ifndef PORTA_BROKER_RESOLV_CONF_H
#define PORTA_BROKER_RESOLV_CONF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/strings.h"

/* Nameservers that count, as in every C library; the others are passed over. */
#define RESOLV_CONF_SERVERS_MAX 3
#define RESOLV_CONF_SEARCH_MAX	32
#define RESOLV_CONF_FILE_BYTES	(64 * 1024)

struct resolv_conf {
	union resolv_conf_server {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} servers[RESOLV_CONF_SERVERS_MAX]; /* port 53; 127.0.0.1 where none is named */
	size_t servers_count;
	bool has_search;	  /* the file says so itself, perhaps ".", which is none */
	struct strv search;	  /* canonical; `domain` is a search of one */
	struct strv options;	  /* those that a program inside may follow, as written */
	unsigned timeout_seconds; /* 1-30 */
	unsigned attempts;	  /* 1-5 */
};

/*
 * Reads the file's text. Lines that make no sense are passed over, as the C library does.
 * `host_name` (may be NULL) gives the search domain where the file has none.
 */
void resolv_conf_parse(const char *text, const char *host_name, struct resolv_conf *ret_conf);
void resolv_conf_done(struct resolv_conf *conf);
socklen_t resolv_conf_server_length(const union resolv_conf_server *server);

#endif
