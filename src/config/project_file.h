/*
 * porta.toml: found, read, and taken apart into settings with their places. What the keys mean is not known here
 * but to who applies them (cli/project_options.h). The file may come from a stranger: porta-toml parses it.
 */
#ifndef PORTA_CONFIG_PROJECT_FILE_H
#define PORTA_CONFIG_PROJECT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define PROJECT_FILE_NAME "porta.toml"

struct project_place {
	unsigned int line; /* from 1; 0: not known */
	unsigned int column;
};

enum project_value_kind {
	PROJECT_VALUE_STRING,
	PROJECT_VALUE_INTEGER,
	PROJECT_VALUE_BOOLEAN,
	PROJECT_VALUE_OTHER, /* a float, a date, a table or an array within an array */
	PROJECT_VALUE_KIND_COUNT,
};

struct project_value {
	enum project_value_kind kind;
	char *text; /* of a string; of an integer its digits; else NULL */
	bool boolean;
	struct project_place place;
};

enum project_setting_kind {
	PROJECT_SETTING_TABLE, /* what it holds are settings of their own, behind it */
	PROJECT_SETTING_ARRAY,
	PROJECT_SETTING_VALUE, /* one value */
};

/* "sandbox" "mounts" = [...]; a table "sandbox" itself has no key. */
struct project_setting {
	enum project_setting_kind kind;
	char *section;
	char *key;     /* NULL: of the section itself */
	char *sub_key; /* [env] A = { from-env = true }: section "env", key "A", sub_key "from-env"; else NULL */
	bool is_deeper; /* there are more keys behind sub_key */
	struct project_place place; /* of the last key */
	struct project_value *values;
	size_t values_count;
};

struct project_file {
	char *path;	 /* as messages name it: "porta.toml", or the whole path from another directory */
	char *directory; /* absolute, free of symlinks; what relative paths in the file are relative to */
	struct project_setting *settings; /* in the order of the file */
	size_t settings_count;
};

void project_file_done(struct project_file *file);

/*
 * Finds PROJECT_FILE_NAME in the working directory or the nearest of its parents that has one, be it a symlink that
 * leads nowhere. *ret_path is for project_file_load; the caller frees it. -ENOENT where there is none.
 */
int project_file_find(char **ret_path, struct error *err);

/*
 * Reads `path`. -EINVAL with "PATH:LINE:COLUMN: why" where it is not TOML. With `is_found` (by project_file_find)
 * it, and the symlink that it may be, must belong to the user, to root, or to who called sudo, and it must not be
 * writable by everybody, else -EPERM: what
 * it says is obeyed, and the user may not know that it is there (CVE-2022-24765 was git's).
 */
int project_file_load(const char *path, bool is_found, struct project_file *ret_file, struct error *err);

/*
 * What porta-toml answered (toml_json.h) becomes the settings of `file`, which has its path. It comes from a process
 * that a stranger's file may have taken over: what is not of that form is an error, of which `file` may hold half.
 */
int project_file_take_answer(const char *text, size_t length, struct project_file *file, struct error *err);

/* "PATH:LINE:COLUMN: " and the sentence; returns -EINVAL. */
int project_file_error(const struct project_file *file, struct project_place place, struct error *err,
		       const char *fmt, ...) _printf_(4, 5);

#endif
