/*
 * git's configuration syntax, as far as porta needs it: which settings a file has, and which of
 * them make git run a program. Follows git-config(1), "CONFIGURATION FILE". Pure: nothing here
 * opens a file.
 */
#ifndef PORTA_SANDBOX_GIT_CONFIG_H
#define PORTA_SANDBOX_GIT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "util/strings.h"

#define GIT_CONFIG_MAX_BYTES (1024 * 1024)

/*
 * One setting. `name` is git's flat form, "section.subsection.key": section and key in lower case,
 * the subsection as written, which may hold dots. `value` is NULL for a key without "=" (true to
 * git).
 */
typedef void git_config_fn(void *data, const char *name, const char *value);

/*
 * Calls `fn` for each setting in the order of the text, includes not followed. Returns 0, or
 * -EINVAL where git would refuse the file; the settings before that place have been told by then.
 */
int git_config_parse(const char *text, size_t length, git_config_fn *fn, void *data);

/* Whether the setting can make git, or a program that reads git's configuration, run a command. */
bool git_config_runs_program(const char *name, const char *value);
/* Whether the setting names another configuration file (include.path, includeIf.CONDITION.path). */
bool git_config_is_include(const char *name);

/*
 * The settings of `text` that run programs, each as "NAME=VALUE", appended to `list`. Returns as
 * git_config_parse.
 */
int git_config_list_programs(const char *text, size_t length, struct strv *list);

#endif
