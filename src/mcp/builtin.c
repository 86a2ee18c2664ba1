/* porta's own tools; see builtin.h. */
#include "mcp/builtin.h"

/* "type" alone. */
static json_value *
of_type(const char *type, const char *description)
{
	json_value *schema = json_new_object();

	json_set(schema, "type", json_new_string(type));
	if (description != NULL)
		json_set(schema, "description", json_new_string(description));
	return schema;
}

static json_value *
texts(const char *description)
{
	json_value *schema = of_type("array", description);

	json_set(schema, "items", of_type("string", NULL));
	return schema;
}

static json_value *
text_map(const char *description)
{
	json_value *schema = of_type("object", description);

	json_set(schema, "additionalProperties", of_type("string", NULL));
	return schema;
}

/* Takes `properties`. `required` ends with NULL. */
static json_value *
object_of(json_value *properties, const char *const *required, bool is_closed)
{
	json_value *schema = of_type("object", NULL);
	json_value *names = json_new_array();

	for (size_t i = 0; required[i] != NULL; i++)
		json_append(names, json_new_string(required[i]));
	json_set(schema, "properties", properties);
	json_set(schema, "required", names);
	if (is_closed)
		json_set(schema, "additionalProperties", json_new_bool(false));
	return schema;
}

/* Takes the schemas. */
static json_value *
tool(const char *name, const char *description, json_value *input, json_value *output,
     bool is_destructive)
{
	json_value *definition = json_new_object();
	json_value *annotations = json_new_object();

	json_set(definition, "name", json_new_string(name));
	json_set(definition, "description", json_new_string(description));
	json_set(definition, "inputSchema", input);
	json_set(definition, "outputSchema", output);
	json_set(annotations, "readOnlyHint", json_new_bool(false));
	json_set(annotations, "destructiveHint", json_new_bool(is_destructive));
	json_set(annotations, "openWorldHint", json_new_bool(true));
	json_set(definition, "annotations", annotations);
	return definition;
}

static json_value *
exec_input(const struct policy *policy)
{
	static const char *const required[] = { "command", NULL };
	json_value *properties = json_new_object();
	json_value *command = of_type("string", "one of the commands that may be started");
	json_value *words = json_new_array();

	for (size_t i = 0; i < policy->allow_exec.count; i++)
		json_append(words, json_new_string(policy->allow_exec.items[i]));
	json_set(command, "enum", words);
	json_set(properties, "command", command);
	json_set(properties, "args", texts("its arguments, each as it is: there is no shell"));
	json_set(properties, "cwd", of_type("string", "the directory that it starts in"));
	return object_of(properties, required, true);
}

static json_value *
exec_output(void)
{
	static const char *const required[] = { "exit_code", "stdout", "stderr", NULL };
	json_value *properties = json_new_object();

	json_set(properties, "exit_code", of_type("integer", NULL));
	json_set(properties, "stdout", of_type("string", NULL));
	json_set(properties, "stderr", of_type("string", NULL));
	return object_of(properties, required, false);
}

json_value *
builtin_define_exec(const struct policy *policy, capability_set granted)
{
	if ((granted & (1U << CAPABILITY_EXEC)) == 0 || !policy->allow_exec_set ||
	    policy->allow_exec.count == 0)
		return NULL;
	return tool("porta.exec",
		    "Runs a command in a sandbox, and returns its exit code and what it wrote.",
		    exec_input(policy), exec_output(), true);
}

static json_value *
http_input(void)
{
	static const char *const required[] = { "url", NULL };
	json_value *properties = json_new_object();

	json_set(properties, "method", of_type("string", "GET where it is not given"));
	json_set(properties, "url", of_type("string", "http or https"));
	json_set(properties, "headers", text_map(NULL));
	json_set(properties, "body", of_type("string", NULL));
	return object_of(properties, required, true);
}

static json_value *
http_output(void)
{
	static const char *const required[] = { "status", "headers", "body", NULL };
	json_value *properties = json_new_object();

	json_set(properties, "status", of_type("integer", NULL));
	json_set(properties, "headers", of_type("object", NULL));
	json_set(properties, "body", of_type("string", NULL));
	return object_of(properties, required, false);
}

json_value *
builtin_define_http(const struct policy *policy, capability_set granted)
{
	if ((granted & (1U << CAPABILITY_NET)) == 0 || policy->net_mode != NET_MODE_RULES)
		return NULL;
	return tool("porta.http", "Makes an HTTP request to a host that is allowed.", http_input(),
		    http_output(), false);
}
