/* porta serve --check; see check.h. */
#include "server/check.h"

static void
put_heading(struct strbuf *out, const char *name, size_t count)
{
	strbuf_printf(out, "\n%s (%zu)\n", name, count);
}

static void
put_line(struct strbuf *out, const char *name, const char *description)
{
	strbuf_puts(out, "  ");
	strbuf_put_printable(out, name);
	if (*description != '\0') {
		strbuf_puts(out, "  ");
		strbuf_put_printable(out, description);
	}
	strbuf_putc(out, '\n');
}

static void
put_list(struct strbuf *out, const char *name, const struct strv *words)
{
	strbuf_printf(out, "             %s", name);
	for (size_t i = 0; i < words->count; i++) {
		strbuf_puts(out, i > 0 ? ", " : " ");
		strbuf_put_printable(out, words->items[i]);
	}
	strbuf_putc(out, '\n');
}

static void
put_rules(struct strbuf *out, const struct net_rules *rules)
{
	struct strv texts = STRV_INIT;

	for (size_t i = 0; i < rules->count; i++)
		strv_add(&texts, rules->items[i].text);
	put_list(out, "requests to", &texts);
	strv_done(&texts);
}

/* What a tool may touch: a guest's all touch the same. */
static void
put_tool(const struct edition *edition, const struct catalog_tool *tool, struct strbuf *out)
{
	const struct json_place place = JSON_PLACE_OF(tool->definition);
	const struct policy *policy = edition->host.policy;
	struct json_place member;
	struct error unused;
	const char *description = "";

	if (json_member(&place, "description", &member))
		(void)json_get_string(&member, &description, &unused);
	put_line(out, tool->name, description);
	if (tool->origin == TOOL_EXEC)
		put_list(out, "runs", &policy->allow_exec);
	else if (tool->origin == TOOL_HTTP)
		put_rules(out, &policy->allow_net);
}

static void
put_agent(const struct edition *edition, struct strbuf *out)
{
	static const char *const access_texts[] = {
		[ACCESS_LIST] = "names only",
		[ACCESS_READ] = "to read",
		[ACCESS_WRITE] = "to read and write",
	};
	static_assert(ARRAY_SIZE(access_texts) == ACCESS_COUNT, "a text for each access");
	const struct protocol_config *config = &edition->config.config;

	strbuf_puts(out, "Granted      ");
	capability_put_set(out, edition->agent.granted);
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < config->paths_count; i++) {
		strbuf_puts(out, "Sees         ");
		strbuf_put_printable(out, config->paths[i].host_path);
		strbuf_printf(out, ", %s\n", access_texts[config->paths[i].access]);
	}
}

static void
put_resources(const struct manifest_resource *resources, size_t count, const char *name,
	      struct strbuf *out)
{
	put_heading(out, name, count);
	for (size_t i = 0; i < count; i++)
		put_line(out, resources[i].uri, resources[i].description);
}

void
check_put(const struct edition *edition, struct strbuf *out)
{
	const struct catalog *catalog = &edition->catalog;
	const struct manifest *manifest = catalog->manifest;

	put_agent(edition, out);
	put_heading(out, "Tools", catalog->tools_count);
	for (size_t i = 0; i < catalog->tools_count; i++)
		put_tool(edition, &catalog->tools[i], out);
	put_resources(manifest->resources, manifest->resources_count, "Resources", out);
	put_resources(manifest->resource_templates, manifest->resource_templates_count,
		      "Resource templates", out);
	put_heading(out, "Prompts", manifest->prompts_count);
	for (size_t i = 0; i < manifest->prompts_count; i++)
		put_line(out, manifest->prompts[i].name, manifest->prompts[i].description);
}
