/* resolv.conf(5); see resolv_conf.h. */
#include "broker/resolv_conf.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "policy/net_rule.h"
#include "util/mem.h"

#define DNS_PORT	    53
#define TIMEOUT_SECONDS	    5 /* RES_TIMEOUT, and its largest value */
#define TIMEOUT_SECONDS_MAX 30
#define ATTEMPTS	    2
#define ATTEMPTS_MAX	    5
#define BLANKS		    " \t\r"

/*
 * Options that a program inside may follow too. Not use-vc, since porta's answers are datagrams;
 * nor trust-ad, since porta vouches for nothing. A ":" says that a number belongs to it.
 */
static const char *const passed_options[] = {
	"ndots:",  "timeout:", "attempts:",	 "edns0",
	"no-aaaa", "rotate",   "single-request", "single-request-reopen",
};

static void
add_server(struct resolv_conf *conf, const char *text)
{
	union resolv_conf_server server = { 0 };
	_cleanup_free_ char *address = mem_strdup(text);
	char *scope = strchr(address, '%');
	uint64_t index = 0;

	if (conf->servers_count == RESOLV_CONF_SERVERS_MAX)
		return;
	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET, address, &server.v4.sin_addr) == 1 && scope == NULL) {
		server.v4.sin_family = AF_INET;
		server.v4.sin_port = htons(DNS_PORT);
	} else if (inet_pton(AF_INET6, address, &server.v6.sin6_addr) == 1) {
		server.v6.sin6_family = AF_INET6;
		server.v6.sin6_port = htons(DNS_PORT);
		if (scope != NULL && str_parse_u64(scope, 1, UINT32_MAX, &index) < 0)
			index = if_nametoindex(scope);
		server.v6.sin6_scope_id = (uint32_t)index;
	} else {
		return;
	}
	conf->servers[conf->servers_count++] = server;
}

static void
add_search(struct resolv_conf *conf, const char *domain)
{
	char canonical[NET_NAME_MAX_CHARS + 1];
	struct error ignored;

	if (conf->search.count < RESOLV_CONF_SEARCH_MAX &&
	    net_name_canonical(domain, canonical, &ignored) == 0)
		strv_add(&conf->search, canonical);
}

static void
add_option(struct resolv_conf *conf, const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(passed_options); i++) {
		const char *known = passed_options[i];
		uint64_t value = 0;

		if (!str_ends_with(known, ":")) {
			if (str_equal(option, known))
				strv_add(&conf->options, option);
			continue;
		}
		if (!str_starts_with(option, known) ||
		    str_parse_u64(option + strlen(known), 0, UINT16_MAX, &value) < 0)
			continue;
		strv_add(&conf->options, option);
		if (str_equal(known, "timeout:"))
			conf->timeout_seconds = (unsigned)MIN(MAX(value, 1U), TIMEOUT_SECONDS_MAX);
		else if (str_equal(known, "attempts:"))
			conf->attempts = (unsigned)MIN(MAX(value, 1U), ATTEMPTS_MAX);
	}
}

/* A line's words after its keyword. */
static void
take_line(struct resolv_conf *conf, char *line)
{
	char *rest;
	const char *keyword = strtok_r(line, BLANKS, &rest);
	const char *word;

	if (keyword == NULL)
		return;
	/* The last of these lines counts. */
	if (str_equal(keyword, "search") || str_equal(keyword, "domain")) {
		conf->has_search = true;
		strv_done(&conf->search);
		conf->search = (struct strv)STRV_INIT;
	}
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL) {
		if (str_equal(keyword, "search"))
			add_search(conf, word);
		else if (str_equal(keyword, "options"))
			add_option(conf, word);
		else if (str_equal(keyword, "domain") && conf->search.count == 0)
			add_search(conf, word);
		else if (str_equal(keyword, "nameserver")) {
			add_server(conf, word);
			return;
		}
	}
}

void
resolv_conf_parse(const char *text, const char *host_name, struct resolv_conf *ret_conf)
{
	_cleanup_free_ char *copy = mem_strdup(text);
	char *rest;

	*ret_conf =
	    (struct resolv_conf){ .timeout_seconds = TIMEOUT_SECONDS, .attempts = ATTEMPTS };
	for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line != '#' && *line != ';')
			take_line(ret_conf, line);
	}
	if (ret_conf->servers_count == 0)
		add_server(ret_conf, "127.0.0.1");
	if (!ret_conf->has_search && host_name != NULL && strchr(host_name, '.') != NULL)
		add_search(ret_conf, strchr(host_name, '.') + 1);
}

void
resolv_conf_done(struct resolv_conf *conf)
{
	strv_done(&conf->search);
	strv_done(&conf->options);
	*conf = (struct resolv_conf){ 0 };
}

socklen_t
resolv_conf_server_length(const union resolv_conf_server *server)
{
	return server->any.sa_family == AF_INET6 ? sizeof(server->v6) : sizeof(server->v4);
}
