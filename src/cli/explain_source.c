/* Where a policy comes from; see explain_source.h. */
#include "cli/explain_source.h"

#include <string.h>

#include "util/mem.h"

/* As that of policy_explain. */
#define TOPIC_COLUMNS 12

static void
put_line(struct strbuf *out, const char *topic, const char *text, const char *note)
{
	strbuf_printf(out, "%-*s", TOPIC_COLUMNS, topic);
	strbuf_put_printable(out, text);
	strbuf_printf(out, "%s\n", note);
}

/* What [serve] says; a run has nothing of it. */
static void
put_serving(const struct serve_options *serve, struct strbuf *out)
{
	static const char topic[] = "Serving";
	_cleanup_free_ char *address = NULL;

	if (serve->http_host != NULL) {
		address = mem_printf("%s, port %u", serve->http_host, serve->http_port);
		put_line(out, topic, address, ": 'porta serve' listens there");
	}
	if (serve->token_file != NULL)
		put_line(out, topic, serve->token_file, ": 'porta serve' takes the token from there");
	if (serve->state_key_file != NULL)
		put_line(out, topic, serve->state_key_file, ": 'porta serve' takes the key from there");
	for (size_t i = 0; i < serve->allow_origins.count; i++)
		put_line(out, topic, serve->allow_origins.items[i], ": 'porta serve' answers pages of this origin");
	for (size_t i = 0; i < serve->allow_hosts.count; i++)
		put_line(out, topic, serve->allow_hosts.items[i], ": 'porta serve' answers requests for this name");
}

void
explain_put_source(const struct run_options *options, struct strbuf *out)
{
	struct strbuf line = STRBUF_INIT;

	if (options->policy.project_file != NULL)
		put_line(out, "Project", options->policy.project_file, "");
	strbuf_put_shell(&line, options->target);
	for (size_t i = 0; i < options->arguments_count; i++) {
		strbuf_putc(&line, ' ');
		strbuf_put_shell(&line, options->arguments[i]);
	}
	put_line(out, "Runs", line.text, "");
	strbuf_done(&line);
	if (options->broker.report_path != NULL)
		put_line(out, "Report", options->broker.report_path, ", which porta itself writes");
	put_serving(&options->serve, out);
}

static void
put_text_or_null(struct strbuf *out, const char *text)
{
	if (text != NULL)
		strbuf_put_json(out, text);
	else
		strbuf_puts(out, "null");
}

static void
put_list(struct strbuf *out, const char *name, const struct strv *list)
{
	strbuf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < list->count; i++) {
		strbuf_puts(out, i > 0 ? "," : "");
		strbuf_put_json(out, list->items[i]);
	}
	strbuf_putc(out, ']');
}

void
explain_put_source_json(const struct run_options *options, struct strbuf *out)
{
	_cleanup_free_ char *address = NULL;

	strbuf_puts(out, "\"project\":");
	put_text_or_null(out, options->policy.project_file);
	strbuf_puts(out, ",\"run\":[");
	strbuf_put_json(out, options->target);
	for (size_t i = 0; i < options->arguments_count; i++) {
		strbuf_putc(out, ',');
		strbuf_put_json(out, options->arguments[i]);
	}
	strbuf_puts(out, "],\"report\":");
	put_text_or_null(out, options->broker.report_path);
	strbuf_puts(out, ",\"serve\":{\"http\":");
	if (options->serve.http_host != NULL)
		address = mem_printf(strchr(options->serve.http_host, ':') != NULL ? "[%s]:%u" : "%s:%u",
				     options->serve.http_host, options->serve.http_port);
	put_text_or_null(out, address);
	strbuf_puts(out, ",\"token_file\":");
	put_text_or_null(out, options->serve.token_file);
	strbuf_puts(out, ",\"state_key_file\":");
	put_text_or_null(out, options->serve.state_key_file);
	put_list(out, "allow_origin", &options->serve.allow_origins);
	put_list(out, "allow_host", &options->serve.allow_hosts);
	strbuf_putc(out, '}');
}
