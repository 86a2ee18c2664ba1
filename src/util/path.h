/* Paths as text: pure functions, nothing here touches the file system. */
#ifndef PORTA_UTIL_PATH_H
#define PORTA_UTIL_PATH_H

#include <stdbool.h>

/*
 * `path` with ".", empty components and trailing slashes taken out; ".." is
 * folded into its parent ("/.." is "/"), which is right only for paths without
 * symlinks. A relative path is put after `base` (absolute). The caller frees it.
 */
char *path_normalize(const char *base, const char *path);
/* Joins with exactly one slash; the caller frees it. */
char *path_join(const char *directory, const char *name);
/* Whether `path` is `directory` or below it; both absolute and normal. */
bool path_is_beneath(const char *path, const char *directory);
/* The part after the last slash; points into `path`. */
const char *path_basename(const char *path);
/* Everything before the last slash ("/" for a child of the root); the caller frees it. */
char *path_dirname(const char *path);

#endif
