/* Finding the command: PATH as execvp(3) searches it, before anything is made. */
#ifndef PORTA_SANDBOX_COMMAND_PATH_H
#define PORTA_SANDBOX_COMMAND_PATH_H

#include "util/error.h"
#include "util/strings.h"

/*
 * Looks `name` up in the PATH of `environment` (KEY=VALUE strings; the system's default
 * path where it has none), or takes it as a path if it has a slash. *ret_path is absolute,
 * symlinks not resolved; the caller frees it. -ENOENT: not found; -EACCES: found, but a
 * directory, not executable or not reachable.
 */
int command_path_find(const char *name, const struct strv *environment, char **ret_path,
		      struct error *err);

#endif
