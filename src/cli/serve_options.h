/* What `porta serve` has beside the flags of `porta run`. */
#ifndef PORTA_CLI_SERVE_OPTIONS_H
#define PORTA_CLI_SERVE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/strings.h"

#define SERVE_WORKERS_MAX 1024

struct serve_options {
	bool check;		  /* --check: say what would be served */
	char *http_host;	  /* --http ADDR:PORT, NULL: stdio; without the brackets of IPv6 */
	uint16_t http_port;
	const char *token_file;	    /* NULL: none */
	const char *state_key_file; /* NULL: a key of its own */
	struct strv allow_origins;
	struct strv allow_hosts;
	uint64_t workers_max; /* 0: not said */
};

void serve_options_done(struct serve_options *options);
/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080"; port 0 is one that is free. */
int serve_options_set_http(struct serve_options *options, const char *value, struct error *err);
int serve_options_add_origin(struct serve_options *options, const char *value, struct error *err);
int serve_options_set_workers(struct serve_options *options, const char *value, struct error *err);
/* As a whole. */
int serve_options_check(const struct serve_options *options, struct error *err);
/* Whether the address is this machine's own: 127.0.0.0/8, ::1, localhost. */
bool serve_options_is_loopback(const struct serve_options *options);

#endif
