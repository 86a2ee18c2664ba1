/* porta explain agent.wasm; see run_agent.h. */
#include <string.h>
#include <unistd.h>

#include "broker/run.h"
#include "broker/stdio.h"
#include "cli/output.h"
#include "cli/explain_source.h"
#include "cli/run_agent.h"
#include "util/json.h"
#include "util/mem.h"
#include "wasm/agent.h"
#include "wasm/guest_files.h"

static const char *const access_texts[] = {
	[ACCESS_LIST] = "names only",
	[ACCESS_READ] = "to read",
	[ACCESS_WRITE] = "to read and write",
};
static_assert(ARRAY_SIZE(access_texts) == ACCESS_COUNT, "a text for each access");

/* What a run would find out before it starts. */
struct explained {
	struct agent agent;
	struct strv refusals;
	struct protocol_config config; /* only its paths and its environment */
	bool has_sandbox;
	struct policy sandbox;
	struct plan plan;
};

static void
explained_done(struct explained *explained)
{
	plan_done(&explained->plan);
	if (explained->has_sandbox)
		guest_files_sandbox_done(&explained->sandbox);
	protocol_config_done(&explained->config);
	strv_done(&explained->refusals);
	agent_done(&explained->agent);
}

static int
find_out(struct explained *explained, struct error *err)
{
	struct agent *agent = &explained->agent;
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
	agent->granted = agent_granted(agent, granted);
	facts_put_refusals(&agent->facts, agent->granted, &explained->refusals);
	if (agent->granted & (1U << CAPABILITY_ENV))
		env_build_guest(&agent->policy->env, environ, &explained->config.environment);
	if (!agent_reaches_files(agent))
		return 0;
	guest_files_sandbox(agent->policy, agent->granted, &explained->sandbox);
	explained->has_sandbox = true;
	r = guest_files_add(agent->policy, agent->granted, &explained->config, err);
	return r < 0 ? -EXIT_CODE_FAILED : 0;
}

/* The plan of the native sandbox around the worker, with the worker as its command. */
static int
plan_sandbox(struct explained *explained, struct error *err)
{
	struct strv argv = STRV_INIT;
	struct strv environment = STRV_INIT;
	const struct sandbox_command command = { .name = "/proc/self/exe",
						 .argv = &argv,
						 .environment = &environment };
	struct stdio_pumps *pumps = NULL;
	struct machine machine = { 0 };
	int r;

	strv_add(&argv, "porta-engine");
	machine_probe_full(&machine);
	r = run_plan(&explained->sandbox, &command, &machine, &explained->plan, err);
	if (r == 0 && broker_complete_plan(&explained->sandbox, &explained->plan, &pumps, err) < 0)
		r = -EXIT_CODE_FAILED;
	stdio_free(pumps);
	strv_done(&argv);
	return r;
}

/* The name of "NAME=VALUE": a value may be a secret. */
static char *
variable_name(const char *variable)
{
	return mem_strndup(variable, strcspn(variable, "="));
}

static void
put_variables(const struct strv *environment, struct strbuf *out)
{
	strbuf_puts(out, "  Variables    ");
	for (size_t i = 0; i < environment->count; i++) {
		_cleanup_free_ char *name = variable_name(environment->items[i]);

		strbuf_puts(out, i > 0 ? ", " : "");
		strbuf_put_printable(out, name);
	}
	strbuf_puts(out, environment->count > 0 ? "\n" : "none: those above are for what it has started\n");
}

static void
put_text(const struct explained *explained, struct strbuf *out)
{
	const struct agent *agent = &explained->agent;

	strbuf_puts(out, "Agent\n\n  Granted      ");
	capability_put_set(out, agent->granted);
	strbuf_printf(out, "\n  Imports      %zu, %zu of them refused\n", agent->facts.imports_count,
		      explained->refusals.count);
	for (size_t i = 0; i < explained->refusals.count; i++)
		strbuf_printf(out, "  Refused      %s\n", explained->refusals.items[i]);
	for (size_t i = 0; i < explained->config.paths_count; i++) {
		const struct protocol_path *path = &explained->config.paths[i];

		strbuf_puts(out, "  Sees         ");
		strbuf_put_printable(out, path->host_path);
		if (path->guest_path[0] != '\0') {
			strbuf_puts(out, " as ");
			strbuf_put_printable(out, path->guest_path);
		}
		strbuf_printf(out, ", %s\n", access_texts[path->access]);
	}
	put_variables(&explained->config.environment, out);
	strbuf_puts(out, explained->has_sandbox
			     ? "  Worker       behind its own walls, and in this sandbox:\n\n"
			     : "  Worker       behind its own walls: the agent reaches no file\n");
	if (explained->has_sandbox)
		plan_explain(&explained->plan, out);
}

static void
put_json(const struct explained *explained, struct strbuf *out)
{
	_cleanup_json_ json_value *object = json_new_object();
	json_value *granted = json_new_array();
	json_value *refused = json_new_array();
	json_value *sees = json_new_array();
	json_value *variables = json_new_array();

	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		if (explained->agent.granted & (1U << i))
			json_append(granted, json_new_string(capability_name((enum capability)i)));
	}
	for (size_t i = 0; i < explained->refusals.count; i++)
		json_append(refused, json_new_string(explained->refusals.items[i]));
	for (size_t i = 0; i < explained->config.paths_count; i++) {
		const struct protocol_path *path = &explained->config.paths[i];
		json_value *item = json_new_object();

		json_set(item, "host", json_new_string(path->host_path));
		json_set(item, "guest", json_new_string(path->guest_path));
		json_set(item, "access", json_new_string(access_texts[path->access]));
		json_append(sees, item);
	}
	json_set(object, "granted", granted);
	json_set(object, "refused", refused);
	json_set(object, "sees", sees);
	for (size_t i = 0; i < explained->config.environment.count; i++) {
		_cleanup_free_ char *name = variable_name(explained->config.environment.items[i]);

		json_append(variables, json_new_string(name));
	}
	json_set(object, "variables", variables);
	json_write(out, object, JSON_STYLE_COMPACT);
}

int
explain_agent(const struct run_options *options, struct strbuf *out, struct error *err)
{
	struct explained explained = { .refusals = STRV_INIT, .config = PROTOCOL_CONFIG_INIT };
	int r;

	agent_init(&explained.agent, options->target, &options->policy);
	plan_init(&explained.plan);
	r = find_out(&explained, err);
	if (r == 0 && explained.has_sandbox)
		r = plan_sandbox(&explained, err);
	if (r == 0 && options->json) {
		strbuf_putc(out, '{');
		explain_put_source_json(options, out);
		strbuf_puts(out, ",\"policy\":");
		policy_explain_json(&options->policy, out);
		strbuf_puts(out, ",\"agent\":");
		put_json(&explained, out);
		strbuf_puts(out, ",\"plan\":");
		if (explained.has_sandbox)
			plan_explain_json(&explained.plan, out);
		else
			strbuf_puts(out, "null");
		strbuf_puts(out, "}\n");
	} else if (r == 0) {
		strbuf_puts(out, "Policy\n\n");
		explain_put_source(options, out);
		policy_explain(&options->policy, out);
		strbuf_putc(out, '\n');
		put_text(&explained, out);
	}
	explained_done(&explained);
	return r;
}
