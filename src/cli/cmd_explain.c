/* porta explain: what `porta run` with the same arguments would do, without doing it. */
#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_prepare.h"

static void
explain_plan(const struct run_options *options, const struct plan *plan, struct strbuf *out)
{
	if (options->json) {
		strbuf_puts(out, "{\"policy\":");
		policy_explain_json(&options->policy, out);
		strbuf_puts(out, ",\"plan\":");
		plan_explain_json(plan, out);
		strbuf_puts(out, "}\n");
		return;
	}
	strbuf_puts(out, "Policy\n");
	policy_explain(&options->policy, out);
	strbuf_puts(out, "\nPlan\n");
	plan_explain(plan, out);
}

static int
run_explain(int argc, char **argv)
{
	struct run_options options;
	struct machine machine = { 0 };
	struct plan plan;
	struct error err = ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	int code = EXIT_CODE_FAILED;

	run_options_init(&options, command_explain.name);
	plan_init(&plan);
	if (run_options_parse(&options, argc, argv, &err) == 0) {
		if (options.help) {
			command_write_help(&command_explain, &text);
			code = EXIT_CODE_OK;
		} else {
			machine_probe_quick(&machine);
			code = run_prepare(&options, &machine, &plan, &err);
			if (code == EXIT_CODE_OK)
				explain_plan(&options, &plan, &text);
		}
	}
	if (code == EXIT_CODE_OK)
		code = output_print(&text);
	else
		output_fail("explain", &err, code);
	strbuf_done(&text);
	plan_done(&plan);
	run_options_done(&options);
	return code;
}

const struct command command_explain = {
	.name = "explain",
	.form = "<target> [options] [-- args...]",
	.summary = "show what run would do with the same arguments, without doing it",
	.usage =
	    "Shows the policy that these arguments make, and the plan that it becomes on this\n"
	    "machine: the operations that run would apply, in their order. Nothing is started.\n"
	    "\n"
	    "  porta explain bash -v . --allow-net '*:443'\n",
	.has_run_options = true,
	.run = run_explain,
};
