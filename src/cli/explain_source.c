/* Where a policy comes from; see explain_source.h. */
#include "cli/explain_source.h"

/* As that of policy_explain. */
#define TOPIC_COLUMNS 12

static void
put_line(struct strbuf *out, const char *topic, const char *text, const char *note)
{
	strbuf_printf(out, "%-*s", TOPIC_COLUMNS, topic);
	strbuf_put_printable(out, text);
	strbuf_printf(out, "%s\n", note);
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
}

static void
put_text_or_null(struct strbuf *out, const char *text)
{
	if (text != NULL)
		strbuf_put_json(out, text);
	else
		strbuf_puts(out, "null");
}

void
explain_put_source_json(const struct run_options *options, struct strbuf *out)
{
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
}
