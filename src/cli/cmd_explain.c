/* porta explain: what `porta run` with the same arguments would do, without doing it. */
#include "broker/run.h"
#include "broker/stdio.h"
#include "cli/command.h"
#include "cli/explain_source.h"
#include "cli/output.h"
#include "cli/run_agent.h"
#include "cli/run_prepare.h"

static void
write_plan(const struct run_options *options, const struct plan *plan, struct strbuf *out)
{
	if (options->json) {
		strbuf_putc(out, '{');
		explain_put_source_json(options, out);
		strbuf_puts(out, ",\"policy\":");
		policy_explain_json(&options->policy, out);
		strbuf_puts(out, ",\"plan\":");
		plan_explain_json(plan, out);
		strbuf_puts(out, "}\n");
		return;
	}
	strbuf_puts(out, "Policy\n\n");
	explain_put_source(options, out);
	policy_explain(&options->policy, out);
	strbuf_putc(out, '\n');
	plan_explain(plan, out);
}

/* Returns the exit code; `err` has a sentence unless it is EXIT_CODE_OK. */
static int
explain_plan(const struct run_options *options, struct strbuf *out, struct error *err)
{
	struct run_prepared prepared = RUN_PREPARED_INIT;
	struct stdio_pumps *pumps = NULL;
	struct machine machine = { 0 };
	struct plan plan;
	int r = -EXIT_CODE_FAILED;

	plan_init(&plan);
	/* Unlike run, which finds out by making them, this must ask whether there are namespaces.
	 */
	machine_probe_full(&machine);
	if (run_prepare(options, &prepared, err) == 0)
		r = run_plan(&options->policy, &prepared.command, &machine, &plan, err);
	if (r == 0 && broker_complete_plan(&options->policy, &plan, &pumps, err) < 0)
		r = -EXIT_CODE_FAILED;
	if (r == 0)
		write_plan(options, &plan, out);
	stdio_free(pumps);
	plan_done(&plan);
	run_prepared_done(&prepared);
	return -r;
}

static int
run_explain(int argc, char **argv)
{
	struct run_options options;
	struct error err = ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	int code = EXIT_CODE_FAILED;

	run_options_init(&options, command_explain.name);
	if (run_options_parse(&options, argc, argv, &err) == 0) {
		code = EXIT_CODE_OK;
		if (options.help)
			command_write_help(&command_explain, &text);
		else
			code = run_is_agent(&options) ? -explain_agent(&options, &text, &err)
						      : (int)explain_plan(&options, &text, &err);
	}
	if (code == EXIT_CODE_OK)
		code = output_print(&text);
	else
		output_fail("explain", &err, code);
	strbuf_done(&text);
	run_options_done(&options);
	return code;
}

const struct command command_explain = {
	.name = "explain",
	.form = "[<target>] [options] [-- args...]",
	.summary = "show what run would do with the same arguments, without doing it",
	.usage =
	    "Shows the policy that these arguments make, and the plan that it becomes on this\n"
	    "machine: the operations that run would apply, in order. Nothing is started.\n"
	    "Without a target: what 'porta up' would do, by porta.toml.\n"
	    "\n"
	    "  porta explain bash -v . --allow-net '*:443'\n",
	.has_run_options = true,
	.run = run_explain,
};
