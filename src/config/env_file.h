/*
 * --env-file: KEY=VALUE lines, with comments, `export`, single and double quotes, and
 * CRLF line ends, as docker, dotenv and the shell agree on them. No expansion.
 */
#ifndef PORTA_CONFIG_ENV_FILE_H
#define PORTA_CONFIG_ENV_FILE_H

#include "policy/env.h"

#define ENV_FILE_MAX_BYTES (1024 * 1024)

/* Parses `text`, named `file_name` in messages ("FILE:LINE: ..."), and appends to `env`. */
int env_file_parse(const char *text, size_t length, const char *file_name, struct env_request *env,
		   struct error *err);
/* Reads and parses a file; what cannot be read is an error with its reason. */
int env_file_load(const char *path, struct env_request *env, struct error *err);

#endif
