/* porta validate: which imports of a WASM module are not granted. */
#include "cli/command.h"
#include "cli/output.h"
#include "util/mem.h"
#include "wasm/agent.h"

static int
set_grants(struct policy *policy, const struct command_arguments *arguments, struct error *err)
{
	int r = 0;

	if (arguments->profile != NULL) {
		r = policy_set_profile(policy, arguments->profile, err);
		if (r < 0)
			return error_wrap(err, r, "--profile");
	}
	if (arguments->capabilities != NULL) {
		r = policy_set_capabilities(policy, arguments->capabilities, err);
		if (r < 0)
			return error_wrap(err, r, "--cap");
	}
	return policy_finish(policy, err);
}

static void
put_text(const struct agent *agent, const struct strv *refusals, capability_set granted,
	 struct strbuf *out)
{
	for (size_t i = 0; i < refusals->count; i++)
		strbuf_printf(out, "%s\n", refusals->items[i]);
	if (refusals->count > 0)
		return;
	strbuf_printf(out, "all %zu imports are granted by: ", agent->facts.imports_count);
	capability_put_set(out, granted);
	strbuf_putc(out, '\n');
}

static void
put_json(const struct strv *refusals, capability_set granted, struct strbuf *out)
{
	_cleanup_json_ json_value *object = json_new_object();
	json_value *capabilities = json_new_array();
	json_value *refused = json_new_array();

	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		if (granted & (1U << i))
			json_append(capabilities,
				    json_new_string(capability_name((enum capability)i)));
	}
	for (size_t i = 0; i < refusals->count; i++)
		json_append(refused, json_new_string(refusals->items[i]));
	json_set(object, "valid", json_new_bool(refusals->count == 0));
	json_set(object, "granted", capabilities);
	json_set(object, "refused", refused);
	json_write(out, object, JSON_STYLE_INDENTED);
	strbuf_putc(out, '\n');
}

/* The exit code, or minus that and a sentence. */
static int
validate(struct agent *agent, bool as_json, struct strbuf *out, struct error *err)
{
	struct strv refusals = STRV_INIT;
	capability_set granted;
	int r = agent_open(agent, err);

	if (r == 0)
		r = agent_inspect(agent, err);
	if (r == 0)
		r = agent_check_facts(agent, err);
	if (r == 0 && capability_profile("full", &granted, err) < 0)
		r = -EXIT_CODE_FAILED;
	if (r < 0)
		return r;
	granted = agent_granted(agent, granted);
	facts_put_refusals(&agent->facts, granted, &refusals);
	if (as_json)
		put_json(&refusals, granted, out);
	else
		put_text(agent, &refusals, granted, out);
	r = refusals.count > 0 ? EXIT_CODE_NOT_GRANTED : EXIT_CODE_OK;
	strv_done(&refusals);
	return r;
}

static int
run_validate(int argc, char **argv)
{
	struct command_arguments arguments;
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct policy policy;
	struct agent agent;
	int r = -EXIT_CODE_FAILED;

	policy_init(&policy);
	agent_init(&agent, NULL, &policy);
	if (command_parse_arguments(&command_validate, argc, argv, &arguments, &err) == 0 &&
	    set_grants(&policy, &arguments, &err) == 0) {
		agent.path = arguments.word;
		r = 0;
		if (arguments.help)
			command_write_help(&command_validate, &text);
		else
			r = validate(&agent, arguments.json, &text, &err);
	}
	if (r < 0)
		r = output_fail("validate", &err, -r);
	else if (output_print(&text) != EXIT_CODE_OK)
		r = EXIT_CODE_FAILED;
	agent_done(&agent);
	policy_done(&policy);
	strbuf_done(&text);
	return r;
}

const struct command command_validate = {
	.name = "validate",
	.form = "<agent.wasm> [--profile NAME | --cap LIST] [--json]",
	.summary = "say which imports of a WASM module are not granted",
	.usage = "Says which imports of a WASM module a profile or a list of capabilities does\n"
		 "not grant; without either, those of its manifest count, or all. The exit code\n"
		 "is 1 if there are any.\n"
		 "\n"
		 "  --profile NAME    ai-agent, worker or full\n"
		 "  --cap LIST        capabilities, as in: --cap io,fs\n"
		 "  --json            as a JSON object\n",
	.has_json = true,
	.has_grants = true,
	.takes_file = true,
	.run = run_validate,
};
