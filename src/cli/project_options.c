/* From the settings of porta.toml to options; see project_options.h. */
#include "cli/project_options.h"

#include <errno.h>
#include <string.h>

#include "cli/output.h"
#include "config/project_file.h"
#include "util/mem.h"
#include "util/path.h"

/* Room for the table's keys, those of [runtime], and the names of limits. */
#define KEYS_MAX (PROJECT_OPTIONS_MAX + LIMIT_KIND_COUNT + 8)

static const char *const sections[] = { "runtime", "sandbox", "limits", "env", "secrets", "serve", NULL };
/* What no flag says. */
static const char *const runtime_keys[] = { "type", "command", "wasm", "args", NULL };

struct loading {
	struct run_options *options;
	const struct project_file *file;
	const bool *given;
	const char *type;    /* of [runtime]; point into the file */
	const char *command;
	const char *wasm;
	struct project_place type_place;
	struct project_place command_place;
	struct project_place wasm_place;
};

/* "a string", for "a string belongs here, not a table". */
static const char *
found_kind(const struct project_setting *setting)
{
	static const char *const names[] = {
		[PROJECT_VALUE_STRING] = "a string",
		[PROJECT_VALUE_INTEGER] = "a number",
		[PROJECT_VALUE_BOOLEAN] = "true or false",
		[PROJECT_VALUE_OTHER] = "a fraction or a date",
	};

	static_assert(ARRAY_SIZE(names) == PROJECT_VALUE_KIND_COUNT, "a name for each kind");
	if (setting->kind == PROJECT_SETTING_TABLE)
		return "a table";
	return setting->kind == PROJECT_SETTING_ARRAY ? "an array" : names[setting->values[0].kind];
}

static int
error_kind(const struct loading *loading, const struct project_setting *setting, const char *wanted,
	   struct error *err)
{
	return project_file_error(loading->file, setting->place, err, "%s: %s belongs here, not %s",
				  setting->sub_key != NULL ? setting->sub_key
				  : setting->key != NULL   ? setting->key
							   : setting->section,
				  wanted, found_kind(setting));
}

/* The sentence that is there, behind the place and the key. */
static int
error_at(const struct loading *loading, struct project_place place, const char *key, struct error *err)
{
	struct error inner = *err;

	return project_file_error(loading->file, place, err, "%s: %s", key, inner.message);
}

/* Whether `key` of the table, "sandbox.mounts", is `name` in `section`. */
static bool
is_key(const char *key, const char *section, const char *name)
{
	size_t length = strlen(section);

	return key != NULL && strncmp(key, section, length) == 0 && key[length] == '.' &&
	       str_equal(key + length + 1, name);
}

static const struct run_option *
find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < run_options_count; i++) {
		if (is_key(run_options_table[i].key, section, name))
			return &run_options_table[i];
	}
	return NULL;
}

/* All that may stand in a section; ends with NULL. */
static void
list_keys(const char *section, const char *keys[KEYS_MAX])
{
	size_t length = strlen(section);
	size_t n = 0;

	for (size_t i = 0; i < run_options_count; i++) {
		const char *key = run_options_table[i].key;

		if (key != NULL && strncmp(key, section, length) == 0 && key[length] == '.' &&
		    key[length + 1] != '*')
			keys[n++] = key + length + 1;
	}
	for (size_t i = 0; str_equal(section, "runtime") && runtime_keys[i] != NULL; i++)
		keys[n++] = runtime_keys[i];
	for (enum limit_kind kind = 0; str_equal(section, "limits") && kind < LIMIT_KIND_COUNT; kind++)
		keys[n++] = limit_name(kind);
	keys[n] = NULL;
}

/* The key of the flag that is spelt like `name`: volume is mounts here. */
static const char *
key_of_flag(const char *name)
{
	for (size_t i = 0; i < run_options_count; i++) {
		if (run_options_table[i].key != NULL && str_equal(run_options_table[i].name + 2, name))
			return run_options_table[i].key;
	}
	return NULL;
}

static int
error_unknown_section(const struct loading *loading, const struct project_setting *setting, struct error *err)
{
	_cleanup_free_ char *quoted = output_quote(setting->section);
	const char *nearest = str_nearest(setting->section, sections);

	for (size_t i = 0; nearest == NULL && sections[i] != NULL; i++) {
		const char *keys[KEYS_MAX];

		list_keys(sections[i], keys);
		for (size_t k = 0; keys[k] != NULL; k++) {
			if (str_equal(keys[k], setting->section))
				return project_file_error(loading->file, setting->place, err,
							  "%s stands outside of any section: it belongs into [%s]",
							  quoted, sections[i]);
		}
	}
	if (nearest != NULL)
		return project_file_error(loading->file, setting->place, err,
					  "there is no section %s (did you mean [%s]?)", quoted, nearest);
	return project_file_error(loading->file, setting->place, err,
				  "there is no section %s: they are runtime, sandbox, limits, env, secrets and serve",
				  quoted);
}

static int
error_unknown_key(const struct loading *loading, const struct project_setting *setting, struct error *err)
{
	_cleanup_free_ char *quoted = output_quote(setting->key);
	const char *flag_key = key_of_flag(setting->key);
	const char *keys[KEYS_MAX];
	const char *nearest;

	list_keys(setting->section, keys);
	nearest = str_nearest(setting->key, keys);
	if (flag_key == NULL && nearest != NULL)
		return project_file_error(loading->file, setting->place, err,
					  "there is no key %s in [%s] (did you mean %s?)", quoted,
					  setting->section, nearest);
	for (size_t i = 0; sections[i] != NULL; i++) {
		list_keys(sections[i], keys);
		for (size_t k = 0; keys[k] != NULL; k++) {
			if (str_equal(keys[k], setting->key))
				return project_file_error(loading->file, setting->place, err,
							  "there is no key %s in [%s]: it belongs into [%s]", quoted,
							  setting->section, sections[i]);
		}
	}
	if (flag_key != NULL)
		return project_file_error(loading->file, setting->place, err,
					  "there is no key %s in [%s] (what --%s says is %s here)", quoted,
					  setting->section, setting->key, flag_key);
	return project_file_error(loading->file, setting->place, err,
				  "there is no key %s in [%s] (docs/porta-toml.md has the keys)", quoted,
				  setting->section);
}

static const char *
keep_text(struct loading *loading, char *text)
{
	strv_take(&loading->options->texts, text);
	return text;
}

static bool
is_in_home(const char *path)
{
	return str_starts_with(path, "~/") || str_equal(path, "~");
}

/* A path as the file means it: relative to its directory, "~/" in the home. The caller frees it. */
static char *
resolve_path(const struct loading *loading, const char *text)
{
	const char *home = getenv("HOME");

	if (is_in_home(text) && home != NULL && home[0] == '/')
		return text[1] == '\0' ? mem_strdup(home) : path_join(home, text + 2);
	if (text[0] == '/' || text[0] == '\0' || is_in_home(text))
		return mem_strdup(text);
	while (str_starts_with(text, "./")) {
		text += 2;
		text += strspn(text, "/");
	}
	if (text[0] == '\0' || str_equal(text, "."))
		return mem_strdup(loading->file->directory);
	return path_join(loading->file->directory, text);
}

/* HOST[:GUEST][:ro], of which HOST is the file's; an agent goes on calling it what the file does. */
static int
apply_mount(struct loading *loading, const struct run_option *option, const char *text, struct error *err)
{
	struct policy *policy = &loading->options->policy;
	size_t count = policy->mounts_count;
	struct policy_mount *mount;
	char *whole;
	int r = option->apply(loading->options, text, err);

	if (r < 0 || policy->mounts_count == count)
		return r;
	mount = &policy->mounts[count];
	if (mount->host[0] == '/' || is_in_home(mount->host))
		return 0;
	mount->written = mount->host;
	mount->host = resolve_path(loading, mount->written);
	whole = mem_printf("%s%s", mount->host, mount->text + strlen(mount->written));
	free(mount->text);
	mount->text = whole;
	return 0;
}

/* "node,./tools/check": those that are paths are the file's. The caller frees it. */
static char *
resolve_commands(const struct loading *loading, const char *text)
{
	struct strbuf out = STRBUF_INIT;

	for (;;) {
		size_t length = strcspn(text, ",");
		_cleanup_free_ char *word = mem_strndup(text, length);
		_cleanup_free_ char *path = strchr(word, '/') != NULL ? resolve_path(loading, word) : NULL;

		strbuf_puts(&out, path != NULL ? path : word);
		if (text[length] == '\0')
			return strbuf_take(&out);
		strbuf_putc(&out, ',');
		text += length + 1;
	}
}

static bool
is_word_of(const struct run_option *option, const char *text)
{
	const char *word;

	for (size_t i = 0; option->word != NULL && (word = option->word(i)) != NULL; i++) {
		if (str_equal(word, text))
			return true;
	}
	return false;
}

/* One value of a flag. */
static int
apply_text(struct loading *loading, const struct run_option *option, const char *text, struct error *err)
{
	char *resolved;

	if (str_equal(option->name, "--volume"))
		return apply_mount(loading, option, text, err);
	if (str_equal(option->name, "--allow-exec"))
		resolved = resolve_commands(loading, text);
	else if (option->is_path && !is_word_of(option, text))
		resolved = resolve_path(loading, text);
	else
		resolved = mem_strdup(text);
	return option->apply(loading->options, keep_text(loading, resolved), err);
}

static int
apply_array(struct loading *loading, const struct run_option *option, const struct project_setting *setting,
	    struct error *err)
{
	for (size_t i = 0; i < setting->values_count; i++) {
		const struct project_value *value = &setting->values[i];
		_cleanup_free_ char *quoted = NULL;

		if (value->kind != PROJECT_VALUE_STRING)
			return project_file_error(loading->file, value->place, err,
						  "%s: only strings belong into this array", setting->key);
		if (apply_text(loading, option, value->text, err) == 0)
			continue;
		quoted = output_quote(value->text);
		error_wrap(err, -EINVAL, "%s", quoted);
		return error_at(loading, value->place, setting->key, err);
	}
	return 0;
}

/* true, or for those that take a value too an array. */
static int
apply_switch(struct loading *loading, const struct run_option *option, const struct project_setting *setting,
	     struct error *err)
{
	bool takes_array = option->form == RUN_OPTION_OPTIONAL;

	if (takes_array && setting->kind == PROJECT_SETTING_ARRAY)
		return apply_array(loading, option, setting, err);
	if (setting->kind != PROJECT_SETTING_VALUE || setting->values[0].kind != PROJECT_VALUE_BOOLEAN)
		return error_kind(loading, setting, takes_array ? "true or an array of strings" : "true or false",
				  err);
	if (setting->values[0].boolean && option->apply(loading->options, NULL, err) < 0)
		return error_at(loading, setting->place, setting->key, err);
	return 0;
}

static bool
is_text(const struct project_setting *setting, bool takes_number)
{
	return setting->kind == PROJECT_SETTING_VALUE &&
	       (setting->values[0].kind == PROJECT_VALUE_STRING ||
		(takes_number && setting->values[0].kind == PROJECT_VALUE_INTEGER));
}

static int
apply_single(struct loading *loading, const struct run_option *option, const struct project_setting *setting,
	     struct error *err)
{
	_cleanup_free_ char *quoted = NULL;

	if (!is_text(setting, option->is_number))
		return error_kind(loading, setting, option->is_number ? "a string or a number" : "a string", err);
	if (apply_text(loading, option, setting->values[0].text, err) == 0)
		return 0;
	quoted = output_quote(setting->values[0].text);
	error_wrap(err, -EINVAL, "%s", quoted);
	return error_at(loading, setting->values[0].place, setting->key, err);
}

/* Whether the command line has said it, so that the file's word does not count. */
static bool
is_overruled(const struct loading *loading, const struct run_option *option)
{
	const char *name = option->name;

	for (size_t i = 0; option->once && i < run_options_count; i++) {
		const char *other = run_options_table[i].name;

		if (!loading->given[i])
			continue;
		/* These two say the same. */
		if (str_equal(name, other) || (str_equal(name, "--profile") && str_equal(other, "--cap")) ||
		    (str_equal(name, "--cap") && str_equal(other, "--profile")))
			return true;
	}
	return false;
}

static int
apply_key(struct loading *loading, const struct project_setting *setting, struct error *err)
{
	const struct run_option *option = find_key(setting->section, setting->key);

	if (option == NULL)
		return error_unknown_key(loading, setting, err);
	/* The server's own keys are checked for a run too, to which they mean nothing. */
	if (is_overruled(loading, option))
		return 0;
	if (option->form != RUN_OPTION_VALUE)
		return apply_switch(loading, option, setting, err);
	if (option->once)
		return apply_single(loading, option, setting, err);
	if (setting->kind != PROJECT_SETTING_ARRAY)
		return error_kind(loading, setting, "an array of strings", err);
	return apply_array(loading, option, setting, err);
}

/* [limits] memory = "2G": what --limit memory=2G says. */
static int
apply_limit(struct loading *loading, const struct project_setting *setting, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (!is_text(setting, true))
		return error_kind(loading, setting, "a string or a number", err);
	text = mem_printf("%s=%s", setting->key, setting->values[0].text);
	if (find_key("limits", "*")->apply(loading->options, text, err) < 0)
		return error_at(loading, setting->values[0].place, setting->key, err);
	return 0;
}

static bool
is_limit(const char *name)
{
	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		if (str_equal(limit_name(kind), name))
			return true;
	}
	return false;
}

/* KEY = { from-env = true }, or the name of the variable outside. */
static int
from_environment(const struct loading *loading, const struct project_setting *setting, const char **ret_value,
		 struct error *err)
{
	const struct project_value *value = setting->values;
	const char *name = setting->key;

	if (!str_equal(setting->sub_key, "from-env") || setting->is_deeper)
		return project_file_error(loading->file, setting->place, err,
					  "%s: a table here is { from-env = true }, with no other key", setting->key);
	if (is_text(setting, false))
		name = value->text;
	else if (setting->kind != PROJECT_SETTING_VALUE || value->kind != PROJECT_VALUE_BOOLEAN || !value->boolean)
		return error_kind(loading, setting, "true or the name of a variable", err);
	*ret_value = getenv(name);
	if (*ret_value == NULL)
		return project_file_error(loading->file, setting->place, err,
					  "%s: the variable %s is not set in the environment", setting->key, name);
	return 0;
}

/* A table in [env] or [secrets], whose own keys follow it. */
static int
check_variable_table(const struct loading *loading, const struct project_setting *setting, struct error *err)
{
	const struct project_setting *next = setting + 1;

	if (next < loading->file->settings + loading->file->settings_count && next->sub_key != NULL &&
	    str_equal(next->section, setting->section) && str_equal(next->key, setting->key))
		return 0;
	return project_file_error(loading->file, setting->place, err,
				  "%s: an empty table says nothing: write a string, or { from-env = true }",
				  setting->key);
}

static int
apply_variable(struct loading *loading, const struct project_setting *setting, struct error *err)
{
	const struct run_option *option = find_key(setting->section, "*");
	struct env_request *env = &loading->options->policy.env;
	const char *value = NULL;
	char *text;
	int r;

	if (setting->kind == PROJECT_SETTING_TABLE && setting->sub_key == NULL)
		return check_variable_table(loading, setting, err);
	if (setting->sub_key != NULL) {
		r = from_environment(loading, setting, &value, err);
		if (r < 0)
			return r;
	} else if (is_text(setting, false)) {
		value = setting->values[0].text;
	} else {
		return error_kind(loading, setting, "a string or { from-env = true }", err);
	}
	text = mem_printf("%s=%s", setting->key, value);
	r = option->apply(loading->options, text, err);
	mem_wipe(text, strlen(text));
	free(text);
	if (r < 0)
		return error_at(loading, setting->place, setting->key, err);
	if (setting->sub_key != NULL && setting->values[0].kind == PROJECT_VALUE_STRING)
		env->entries[env->count - 1].source = mem_strdup(setting->values[0].text);
	return 0;
}

static int
take_arguments(struct loading *loading, const struct project_setting *setting, struct error *err)
{
	if (setting->kind != PROJECT_SETTING_ARRAY)
		return error_kind(loading, setting, "an array of strings", err);
	for (size_t i = 0; i < setting->values_count; i++) {
		if (setting->values[i].kind != PROJECT_VALUE_STRING)
			return project_file_error(loading->file, setting->values[i].place, err,
						  "args: only strings belong into this array");
		strv_add(&loading->options->all_arguments, setting->values[i].text);
	}
	return 0;
}

/* 1: a key of [runtime] that no flag has. */
static int
apply_runtime(struct loading *loading, const struct project_setting *setting, struct error *err)
{
	const struct {
		const char *key;
		const char **text;
		struct project_place *place;
	} texts[] = { { "type", &loading->type, &loading->type_place },
		      { "command", &loading->command, &loading->command_place },
		      { "wasm", &loading->wasm, &loading->wasm_place } };

	if (str_equal(setting->key, "args"))
		return take_arguments(loading, setting, err) < 0 ? -EINVAL : 1;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!str_equal(setting->key, texts[i].key))
			continue;
		if (!is_text(setting, false))
			return error_kind(loading, setting, "a string", err);
		if (*setting->values[0].text == '\0')
			return project_file_error(loading->file, setting->values[0].place, err, "%s: it is empty",
						  setting->key);
		*texts[i].text = setting->values[0].text;
		*texts[i].place = setting->values[0].place;
		return 1;
	}
	return 0;
}

static bool
is_section(const char *name)
{
	for (size_t i = 0; sections[i] != NULL; i++) {
		if (str_equal(sections[i], name))
			return true;
	}
	return false;
}

static int
apply_setting(struct loading *loading, const struct project_setting *setting, struct error *err)
{
	bool has_variables = str_equal(setting->section, "env") || str_equal(setting->section, "secrets");

	if (!is_section(setting->section))
		return error_unknown_section(loading, setting, err);
	if (setting->key == NULL)
		return setting->kind == PROJECT_SETTING_TABLE ? 0 : error_kind(loading, setting, "a table", err);
	if (has_variables)
		return apply_variable(loading, setting, err);
	if (str_equal(setting->section, "runtime")) {
		int r = apply_runtime(loading, setting, err);

		if (r != 0)
			return MIN(r, 0);
	}
	if (str_equal(setting->section, "limits") && is_limit(setting->key))
		return apply_limit(loading, setting, err);
	return apply_key(loading, setting, err);
}

static int
take_wasm(struct loading *loading, struct error *err)
{
	if (!str_ends_with(loading->wasm, ".wasm"))
		return project_file_error(loading->file, loading->wasm_place, err,
					  "wasm: the name of an agent ends with .wasm");
	loading->options->target = keep_text(loading, resolve_path(loading, loading->wasm));
	return 0;
}

static int
take_command(struct loading *loading, struct error *err)
{
	bool is_path = strchr(loading->command, '/') != NULL;

	if (str_ends_with(loading->command, ".wasm"))
		return project_file_error(loading->file, loading->command_place, err,
					  "command: an agent is named by the key wasm, with type = \"wasm\"");
	loading->options->target =
	    keep_text(loading, is_path ? resolve_path(loading, loading->command) : mem_strdup(loading->command));
	return 0;
}

/* What is run: by `type`, or by which of the two there is. */
static int
take_target(struct loading *loading, struct error *err)
{
	bool is_serve = str_equal(loading->options->command_name, "serve");
	const char *type = loading->type != NULL   ? loading->type
			   : loading->wasm != NULL ? "wasm"
						   : "native";
	bool is_wasm = str_equal(type, "wasm");

	if (!is_wasm && !str_equal(type, "native"))
		return project_file_error(loading->file, loading->type_place, err,
					  "type: it is \"native\" or \"wasm\"");
	if (is_serve && !is_wasm)
		return error_set(err, -EINVAL, "%s is about a command, and only a WASM agent can be served",
				 loading->file->path);
	if ((is_wasm ? loading->wasm : loading->command) == NULL)
		return error_set(err, -EINVAL, "%s says nothing of what to run: [runtime] has no %s",
				 loading->file->path, is_wasm ? "wasm" : "command");
	if (loading->type == NULL && loading->wasm != NULL && loading->command != NULL)
		return project_file_error(loading->file, loading->command_place, err,
					  "command: there is wasm as well: type = \"native\" or \"wasm\" says which "
					  "counts");
	return is_wasm ? take_wasm(loading, err) : take_command(loading, err);
}

int
project_options_load(struct run_options *options, const bool given[PROJECT_OPTIONS_MAX], struct error *err)
{
	struct project_file file = { 0 };
	struct loading loading = { .options = options, .file = &file, .given = given };
	_cleanup_free_ char *found = NULL;
	int r = 0;

	if (options->project_path == NULL)
		r = project_file_find(&found, err);
	if (r == 0)
		r = project_file_load(found != NULL ? found : options->project_path, found != NULL, &file, err) < 0 ? -EINVAL : 0;
	for (size_t i = 0; r == 0 && i < file.settings_count; i++)
		r = apply_setting(&loading, &file.settings[i], err);
	if (r == 0)
		r = take_target(&loading, err);
	/* The file says what the next run may touch, so no run may change it. */
	if (r == 0)
		options->policy.project_file = path_join(file.directory, path_basename(file.path));
	project_file_done(&file);
	return r;
}
