/*
 * porta-server: an agent as an MCP server. `porta serve` becomes it, with the same command line. It
 * runs no guest code and opens no connection of its own: workers, and children in sandboxes, do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/run_options.h"
#include "cli/secrets_wipe.h"
#include "http/events.h"
#include "mcp/http.h"
#include "mcp/server.h"
#include "mcp/stdio.h"
#include "server/check.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"

/* From a signal to the end, for what is under way. */
#define GRACE_MS 5000
#define TOKEN_BYTES_MIN 16
#define TOKEN_BYTES_MAX ((size_t)4096)

struct serving {
	struct run_options options;
	struct events *events;
	struct mcp_settings settings;
	struct mcp_server *server;
	struct mcp_stdio *stdio; /* one of the two */
	struct mcp_http *http;
	char *token;
	struct event_timer *grace;
	bool is_ending;
};

static void
note(const char *sentence)
{
	fprintf(stderr, "porta: serve: %s\n", sentence);
}

static void
grace_is_over(void *data)
{
	struct serving *serving = data;

	events_stop(serving->events);
}

/* The second one waits for nothing. */
static void
end_by_signal(void *data, int signal)
{
	struct serving *serving = data;

	(void)signal;
	if (serving->is_ending) {
		events_stop(serving->events);
		return;
	}
	serving->is_ending = true;
	serving->grace = event_timer_new(serving->events, grace_is_over, serving);
	event_timer_set(serving->grace, GRACE_MS);
	if (serving->stdio != NULL)
		mcp_stdio_finish(serving->stdio);
	if (serving->http != NULL)
		mcp_http_finish(serving->http);
}

/* Who has gone is seen where it is written to. A handler, since what is ignored would stay so in commands. */
static void
nothing(void *data, int signal)
{
	(void)data;
	(void)signal;
}

static int
make_settings(struct serving *serving, struct error *err)
{
	const struct run_options *options = &serving->options;
	const struct serve_options *serve = &options->serve;

	serving->settings = (struct mcp_settings){
		.edition = { .events = serving->events,
			     .path = options->target,
			     .policy = &options->policy,
			     .broker = &options->broker,
			     .arguments = options->arguments,
			     .arguments_count = options->arguments_count,
			     .workers_max = serve->workers_max > 0 ? (size_t)serve->workers_max
								   : EDITION_WORKERS_MAX_DEFAULT },
		.timeout_ms = options->policy.limits.timeout_ms > 0 ? options->policy.limits.timeout_ms
								    : MCP_TIMEOUT_MS_DEFAULT,
		.is_private = serve->token_file != NULL,
		.note = note,
	};
	if (serve->state_key_file != NULL)
		return state_key_load(serve->state_key_file, &serving->settings.state_key, err);
	return state_key_draw(&serving->settings.state_key, err);
}

/* The file's first line. */
static int
load_token(struct serving *serving, struct error *err)
{
	const char *path = serving->options.serve.token_file;
	int r;

	if (path == NULL)
		return 0;
	r = fd_read_file_at(AT_FDCWD, path, TOKEN_BYTES_MAX, &serving->token, NULL);
	if (r < 0)
		return error_set_errno(err, r, "--token-file %s", path);
	serving->token[strcspn(serving->token, "\r\n")] = '\0';
	if (strlen(serving->token) < TOKEN_BYTES_MIN)
		return error_set(err, -EINVAL,
				 "--token-file %s: a token has at least %d characters, that nobody can guess",
				 path, TOKEN_BYTES_MIN);
	return 0;
}

static int
start_http(struct serving *serving, struct error *err)
{
	const struct serve_options *serve = &serving->options.serve;
	const struct mcp_http_settings settings = {
		.events = serving->events,
		.server = serving->server,
		.host = serve->http_host,
		.port = serve->http_port,
		.is_loopback = serve_options_is_loopback(serve),
		.token = serving->token,
		.allow_origins = &serve->allow_origins,
		.allow_hosts = &serve->allow_hosts,
	};

	serving->http = mcp_http_new(&settings, err);
	if (serving->http == NULL)
		return -1;
	fprintf(stderr, strchr(settings.host, ':') == NULL ? "porta: serving http://%s:%u/mcp\n"
							   : "porta: serving http://[%s]:%u/mcp\n",
		settings.host, mcp_http_port(serving->http));
	return 0;
}

static int
serve(struct serving *serving)
{
	struct error err = ERROR_INIT;

	events_catch_signal(serving->events, SIGTERM, end_by_signal, serving);
	events_catch_signal(serving->events, SIGINT, end_by_signal, serving);
	events_catch_signal(serving->events, SIGHUP, end_by_signal, serving);
	if (serving->options.serve.http_host == NULL)
		serving->stdio =
		    mcp_stdio_new(serving->events, serving->server, STDIN_FILENO, STDOUT_FILENO);
	else if (start_http(serving, &err) < 0)
		return output_fail("serve", &err, EXIT_CODE_FAILED);
	events_run(serving->events);
	return EXIT_CODE_OK;
}

static int
print_check(const struct serving *serving)
{
	struct strbuf text = STRBUF_INIT;
	int code;

	check_put(mcp_server_edition(serving->server), &text);
	code = output_print(&text);
	strbuf_done(&text);
	return code;
}

static int
work(struct serving *serving)
{
	struct error err = ERROR_INIT;
	int code = EXIT_CODE_FAILED;

	if (make_settings(serving, &err) < 0 || load_token(serving, &err) < 0)
		return output_fail("serve", &err, EXIT_CODE_FAILED);
	events_catch_signal(serving->events, SIGPIPE, nothing, NULL);
	serving->server = mcp_server_new(&serving->settings, &code, &err);
	if (serving->server == NULL)
		return output_fail("serve", &err, serving->options.serve.check ? 1 : code);
	if (serving->options.serve.check)
		return print_check(serving);
	return serve(serving);
}

int
main(int argc, char **argv)
{
	struct serving serving = { .events = NULL };
	struct error err = ERROR_INIT;
	int code;

	secrets_wipe(argc, argv);
	run_options_init(&serving.options, "serve");
	if (run_options_parse(&serving.options, argc, argv, &err) < 0 ||
	    serve_options_check(&serving.options.serve, &err) < 0) {
		code = output_fail("serve", &err, EXIT_CODE_FAILED);
	} else {
		serving.events = events_new();
		code = work(&serving);
		mcp_stdio_free(serving.stdio);
		mcp_http_free(serving.http);
		event_timer_free(serving.grace);
		mcp_server_free(serving.server);
		events_free(serving.events);
	}
	if (serving.token != NULL)
		mem_wipe(serving.token, strlen(serving.token));
	free(serving.token);
	run_options_done(&serving.options);
	return code;
}
