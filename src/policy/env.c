/* The command's environment; see env.h. */
#include "policy/env.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

/*
 * What describes the terminal, the language and where things are, and holds no secret.
 * Left out on purpose: tokens; what leads to a service of the session (SSH_AUTH_SOCK,
 * DBUS_SESSION_BUS_ADDRESS, DISPLAY, XDG_RUNTIME_DIR, DOCKER_HOST), which the sandbox
 * may not reach; what makes programs load code (LD_*, NODE_OPTIONS, PYTHONPATH, GIT_*);
 * and the proxy variables: they often hold a password, and a proxy would be asked to go
 * where the network policy does not let the sandbox go itself.
 */
const char *const env_allowed_names[] = {
	"PATH",		  "HOME",
	"USER",		  "LOGNAME",
	"SHELL",	  "PWD",
	"TMPDIR",	  "TZ",
	"LANG",		  "LANGUAGE",
	"LC_*",		  "TERM",
	"TERMINFO",	  "TERMINFO_DIRS",
	"TERM_PROGRAM",	  "TERM_PROGRAM_VERSION",
	"COLORTERM",	  "COLORFGBG",
	"COLUMNS",	  "LINES",
	"NO_COLOR",	  "FORCE_COLOR",
	"CLICOLOR",	  "CLICOLOR_FORCE",
	"LS_COLORS",	  "EDITOR",
	"VISUAL",	  "PAGER",
	"LESS",		  "XDG_CONFIG_HOME",
	"XDG_CACHE_HOME", "XDG_DATA_HOME",
	"XDG_STATE_HOME", "SSL_CERT_FILE",
	"SSL_CERT_DIR",	  NULL,
};

static bool
is_key_char(char c, bool is_first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (!is_first && c >= '0' && c <= '9');
}

/* The length of a valid key at the start of `text`, which ends at "=" or the end; 0 if none. */
static size_t
key_length(const char *text)
{
	size_t n = 0;

	while (is_key_char(text[n], n == 0))
		n++;
	return text[n] == '=' || text[n] == '\0' ? n : 0;
}

static void
free_secret(char *text)
{
	if (text != NULL)
		mem_wipe(text, strlen(text));
	free(text);
}

void
env_request_done(struct env_request *env)
{
	if (env == NULL)
		return;
	for (size_t i = 0; i < env->count; i++) {
		free(env->entries[i].key);
		free(env->entries[i].source);
		free_secret(env->entries[i].value);
	}
	free(env->entries);
	*env = (struct env_request){ 0 };
}

/* `text` starts with a valid key of `n` bytes. */
static int
add_entry(struct env_request *env, enum env_entry_kind kind, const char *text, size_t n,
	  struct error *err)
{
	if (env->count >= ENV_ENTRIES_MAX)
		return error_set(err, -E2BIG, "at most %d variables", ENV_ENTRIES_MAX);
	if (strlen(text) >= ENV_VALUE_MAX_BYTES)
		return error_set(err, -E2BIG, "a variable has at most %d bytes, its name included",
				 ENV_VALUE_MAX_BYTES - 1);
	MEM_GROW(env->entries, env->capacity, env->count);
	env->entries[env->count++] = (struct env_entry){
		.kind = kind,
		.key = mem_strndup(text, n),
		.value = kind == ENV_ENTRY_PASS ? NULL : mem_strdup(text + n + 1),
	};
	return 0;
}

int
env_request_add(struct env_request *env, const char *text, struct error *err)
{
	size_t n = key_length(text);

	if (n == 0)
		return error_set(err, -EINVAL,
				 "\"%.*s\" is not a variable's name: write KEY=VALUE, or KEY to "
				 "pass the host's value; KEY holds letters, digits and \"_\" and "
				 "starts with no digit",
				 (int)strnlen(text, MIN(strcspn(text, "="), 64)), text);
	return add_entry(env, text[n] == '=' ? ENV_ENTRY_SET : ENV_ENTRY_PASS, text, n, err);
}

int
env_request_add_secret(struct env_request *env, const char *text, struct error *err)
{
	size_t n = key_length(text);

	/* Nothing of the text is shown: without its "KEY=" it may be the secret itself. */
	if (n == 0 || text[n] != '=')
		return error_set(err, -EINVAL,
				 "write KEY=VALUE; KEY holds letters, digits and \"_\" and starts "
				 "with no digit (the text given is not shown, it may be secret)");
	return add_entry(env, ENV_ENTRY_SECRET, text, n, err);
}

bool
env_is_allowed(const char *key)
{
	for (const char *const *name = env_allowed_names; *name != NULL; name++) {
		const char *a = *name;
		const char *b = key;

		while (*a == *b && *a != '\0' && *a != '*') {
			a++;
			b++;
		}
		if (*a == '*' || (*a == '\0' && (*b == '\0' || *b == '=')))
			return true;
	}
	return false;
}

/* The index of "KEY=" in a NULL-terminated list, or -1. */
static ssize_t
find_key(char *const *entries, const char *key, size_t n)
{
	for (size_t i = 0; entries != NULL && entries[i] != NULL; i++) {
		if (strncmp(entries[i], key, n) == 0 && entries[i][n] == '=')
			return (ssize_t)i;
	}
	return -1;
}

/* Takes `entry`, "KEY=VALUE" with a key of `n` bytes; NULL takes the variable away. */
static void
put_variable(struct strv *list, const char *key, size_t n, char *entry)
{
	ssize_t i = find_key(list->items, key, n);

	if (i < 0) {
		if (entry != NULL)
			strv_take(list, entry);
		return;
	}
	free_secret(list->items[i]);
	if (entry == NULL) {
		entry = list->items[--list->count];
		list->items[list->count] = NULL;
		if ((size_t)i == list->count)
			return;
	}
	list->items[i] = entry;
}

static void
add_host(const struct env_request *env, char *const *host, struct strv *environment)
{
	for (; host != NULL && *host != NULL; host++) {
		size_t n = strcspn(*host, "=");

		/* getenv(3) finds the first of two, so that one counts. */
		if (n == 0 || (*host)[n] != '=' || find_key(environment->items, *host, n) >= 0)
			continue;
		if (env->inherit || env_is_allowed(*host))
			strv_add(environment, *host);
	}
}

/* What was asked for by name, in the order of asking. */
static void
add_entries(const struct env_request *env, char *const *host, struct strv *environment)
{
	for (size_t i = 0; i < env->count; i++) {
		const struct env_entry *entry = &env->entries[i];
		size_t n = strlen(entry->key);
		ssize_t found = find_key(host, entry->key, n);
		char *text = NULL;

		if (entry->kind != ENV_ENTRY_PASS)
			text = mem_printf("%s=%s", entry->key, entry->value);
		else if (found >= 0)
			text = mem_strdup(host[found]);
		put_variable(environment, entry->key, n, text);
	}
}

void
env_build(const struct env_request *env, char *const *host, const char *network_name,
	  struct strv *ret_environment)
{
	static const char *const marker_prefixes[] = { "PORTA", "PORTBAY" };
	struct strv environment = STRV_INIT;

	add_host(env, host, &environment);
	add_entries(env, host, &environment);
	for (size_t i = 0; i < ARRAY_SIZE(marker_prefixes); i++) {
		char *marker = mem_printf("%s_SANDBOX=1", marker_prefixes[i]);
		char *network =
		    mem_printf("%s_SANDBOX_NETWORK=%s", marker_prefixes[i], network_name);

		put_variable(&environment, marker, strcspn(marker, "="), marker);
		put_variable(&environment, network, strcspn(network, "="), network);
	}
	*ret_environment = environment;
}

void
env_build_guest(const struct env_request *env, char *const *host, struct strv *ret_environment)
{
	struct strv environment = STRV_INIT;

	if (env->inherit)
		add_host(env, host, &environment);
	add_entries(env, host, &environment);
	*ret_environment = environment;
}
