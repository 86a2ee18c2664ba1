/* A WASM agent; see agent.h. */
#include "wasm/agent.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "wasm/code.h"
#include "wasm/guest_files.h"

#define PAGE_BYTES 65536ULL
#define TABLE_ELEMENTS_MAX 1000000

void
agent_init(struct agent *agent, const char *path, const struct policy *policy)
{
	*agent = (struct agent){ .path = path,
				 .policy = policy,
				 .module = MODULE_INIT,
				 .facts = FACTS_INIT,
				 .cache = CACHE_INIT,
				 .code = CACHE_ENTRY_INIT,
				 .notes = STRV_INIT };
	manifest_init(&agent->manifest);
}

void
agent_done(struct agent *agent)
{
	strv_done(&agent->notes);
	cache_entry_done(&agent->code);
	cache_done(&agent->cache);
	manifest_done(&agent->manifest);
	facts_done(&agent->facts);
	module_done(&agent->module);
}

static void
note_warnings(struct agent *agent, const char *where)
{
	for (size_t i = 0; i < agent->manifest.warnings.count; i++)
		strv_take(&agent->notes,
			  mem_printf("%s: %s", where, agent->manifest.warnings.items[i]));
}

int
agent_open(struct agent *agent, struct error *err)
{
	_cleanup_free_ char *path = manifest_path_of(agent->path);
	int r = module_open(agent->path, &agent->module, err);

	if (r < 0)
		return r;
	r = manifest_load(&agent->manifest, path, err);
	if (r < 0 && r != -ENOENT)
		return -EXIT_CODE_FAILED;
	agent->has_manifest = r == 0;
	if (agent->has_manifest)
		note_warnings(agent, path);
	return 0;
}

/* The manifest that the module carries, where none lies beside it. */
static int
read_section(struct agent *agent, struct error *err)
{
	if (agent->has_manifest || agent->facts.manifest == NULL)
		return 0;
	if (manifest_parse(&agent->manifest, agent->facts.manifest, strlen(agent->facts.manifest),
			   err) < 0) {
		error_wrap(err, -EINVAL, "the module's section porta.manifest");
		return -EXIT_CODE_BAD_MODULE;
	}
	agent->has_manifest = true;
	note_warnings(agent, "the section porta.manifest");
	return 0;
}

capability_set
agent_granted(const struct agent *agent, capability_set otherwise)
{
	if (agent->policy != NULL && agent->policy->capabilities_flag != NULL)
		return agent->policy->capabilities;
	if (agent->has_manifest && agent->manifest.has_capabilities)
		return agent->manifest.capabilities;
	return otherwise;
}

bool
agent_reaches_files(const struct agent *agent)
{
	return facts_reaches_files(&agent->facts) && (agent->granted & (1U << CAPABILITY_FS)) != 0;
}

/* Functions that are tools by themselves: such a module needs no entry to be served. */
static bool
has_tool_functions(const struct agent *agent)
{
	for (size_t i = 0; i < agent->facts.exports_count; i++) {
		if (str_equal(agent->facts.exports[i].kind, "function") &&
		    manifest_is_tool_name(agent->facts.exports[i].name))
			return true;
	}
	return false;
}

int
agent_check_facts(const struct agent *agent, struct error *err)
{
	const char *entry = agent->manifest.entry;

	if (agent->facts.is_component) {
		error_set(err, -EINVAL,
			  "the module is a component (WASI 0.2 and later), which porta does not run "
			  "yet: build the agent for WASI preview 1 (wasm32-wasip1)");
		return -EXIT_CODE_BAD_MODULE;
	}
	if (agent->use == AGENT_SERVE && has_tool_functions(agent))
		return 0;
	if (!facts_exports_function(&agent->facts, entry)) {
		if (str_equal(entry, "_start"))
			error_set(err, -EINVAL,
				  "the module has no _start: it is a library, not a command");
		else
			error_set(err, -EINVAL, "the module exports no function '%s', the manifest's entry",
				  entry);
		return -EXIT_CODE_BAD_MODULE;
	}
	return 0;
}

/* One sentence for all that is refused. */
static int
check_grants(const struct agent *agent, capability_set granted, struct error *err)
{
	struct strv refusals = STRV_INIT;
	struct strbuf sentence = STRBUF_INIT;
	size_t count;

	facts_put_refusals(&agent->facts, granted, &refusals);
	count = refusals.count;
	if (count > 0) {
		strbuf_puts(&sentence, refusals.items[0]);
		if (count > 1)
			strbuf_printf(&sentence, "; and %zu more (porta validate shows all)", count - 1);
		error_set(err, -EACCES, "the module is refused: %s", sentence.text);
	}
	strbuf_done(&sentence);
	strv_done(&refusals);
	return count > 0 ? -EXIT_CODE_REFUSED : 0;
}

/* code_judge: before anything is compiled or run. */
static int
judge(void *data, const struct facts *facts, struct error *err)
{
	struct agent *agent = data;
	capability_set otherwise;
	int r;

	if (facts != &agent->facts)
		return -EXIT_CODE_FAILED;
	r = read_section(agent, err);
	if (r == 0)
		r = agent_check_facts(agent, err);
	if (r < 0)
		return r;
	if (capability_profile(agent->use == AGENT_SERVE ? "ai-agent" : "full", &otherwise, err) < 0)
		return -EXIT_CODE_FAILED;
	agent->granted = agent_granted(agent, otherwise);
	return check_grants(agent, agent->granted, err);
}

int
agent_load(struct agent *agent, const struct code_watch *watch, struct error *err)
{
	facts_done(&agent->facts);
	cache_entry_done(&agent->code);
	return code_get(&agent->module, &agent->cache, agent->policy->limits.step_limit > 0, watch,
			judge, agent, &agent->code, &agent->facts, err);
}

void
agent_forget_code(struct agent *agent)
{
	struct cache_key key = cache_key_of(agent->module.hash, agent->policy->limits.step_limit > 0);

	cache_remove(&agent->cache, &key);
}

int
agent_configure(const struct agent *agent, char *const *arguments, size_t arguments_count,
		struct agent_config *ret_config, struct error *err)
{
	const struct policy_limits *limits = &agent->policy->limits;
	struct protocol_config *config = &ret_config->config;
	uint64_t pages = limits->max_memory_pages > 0 ? limits->max_memory_pages : POLICY_PAGES_MAX;

	config->role = agent->use == AGENT_SERVE ? WORKER_SERVE : WORKER_RUN;
	config->has_fuel = limits->step_limit > 0;
	config->step_limit = limits->step_limit;
	config->memory_bytes_max = pages * PAGE_BYTES;
	config->table_elements_max = TABLE_ELEMENTS_MAX;
	config->granted = agent->granted;
	config->entry = mem_strdup(agent->manifest.entry);
	strv_add(&config->arguments, agent->path);
	for (size_t i = 0; i < arguments_count; i++)
		strv_add(&config->arguments, arguments[i]);
	env_build_guest(&agent->policy->env, environ, &config->environment);
	/* A guest that cannot ask for a file needs no sandbox that says which. */
	if (!agent_reaches_files(agent))
		return 0;
	guest_files_sandbox(agent->policy, agent->granted, &ret_config->sandbox);
	ret_config->has_sandbox = true;
	return guest_files_add(agent->policy, agent->granted, config, err);
}

void
agent_config_done(struct agent_config *config)
{
	guest_files_sandbox_done(&config->sandbox);
	protocol_config_done(&config->config);
}

int
agent_inspect(struct agent *agent, struct error *err)
{
	struct code_watch watch = { .signal_fd = -1 };
	sigset_t mask;
	int r = -EXIT_CODE_FAILED;

	if (code_watch_signals(&watch, &mask, err) == 0)
		r = code_inspect(&agent->module, &watch, &agent->facts, err);
	if (r == 0)
		r = read_section(agent, err);
	fd_close(watch.signal_fd);
	return r;
}

int
agent_judge_end(const struct protocol_end *result, struct error *err)
{
	static const struct {
		enum exit_code code;
		const char *text;
	} ends[] = {
		[RESULT_TRAP] = { EXIT_CODE_TRAP, "the agent trapped" },
		[RESULT_STEP_LIMIT] = { EXIT_CODE_STEP_LIMIT,
					"the agent used up its steps (--step-limit)" },
		[RESULT_MEMORY_LIMIT] = { EXIT_CODE_MEMORY_LIMIT,
					  "the agent needs more memory than it may have (--max-memory)" },
		[RESULT_TABLE_LIMIT] = { EXIT_CODE_TABLE_LIMIT,
					 "the agent needs a table of more than 1000000 elements, the most "
					 "that porta allows" },
		[RESULT_STACK_LIMIT] = { EXIT_CODE_STACK_LIMIT,
					 "the agent's stack is used up (endless recursion?)" },
		[RESULT_OUTPUT_LIMIT] = { EXIT_CODE_OUTPUT_LIMIT, "the agent writes more than it may" },
		[RESULT_NO_ENTRY] = { EXIT_CODE_BAD_MODULE,
				      "the module's entry takes or returns values: it is no command" },
		[RESULT_REFUSED] = { EXIT_CODE_REFUSED, "the module is refused" },
		[RESULT_NOT_LOADED] = { EXIT_CODE_FAILED, "the compiled code cannot be loaded" },
	};
	static_assert(ARRAY_SIZE(ends) <= RESULT_KIND_COUNT, "an end for each kind");
	struct strbuf shown = STRBUF_INIT;
	_cleanup_free_ char *sentence = NULL;

	if (result->kind == RESULT_EXIT)
		return (int)MIN(result->value, 255U);
	sentence = mem_strndup(result->sentence, MIN(result->sentence_length, AGENT_SENTENCE_BYTES_MAX));
	strbuf_put_printable(&shown, sentence);
	if (shown.length == 0)
		error_set(err, -ECANCELED, "%s", ends[result->kind].text);
	else
		error_set(err, -ECANCELED, "%s: %s", ends[result->kind].text, shown.text);
	strbuf_done(&shown);
	return -(int)ends[result->kind].code;
}
