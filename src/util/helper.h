/* Small programs of porta's own that read something and write an answer: porta-idna, porta-toml. */
#ifndef PORTA_UTIL_HELPER_H
#define PORTA_UTIL_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * Runs the program `argv[0]` (util/program.h finds it) to its end, with an empty environment, `input_fd` as
 * standard input (-1: /dev/null) and the caller's standard error. *ret_output is what it wrote, at most
 * `output_bytes_max`, with a NUL behind it; the caller frees it. *ret_is_good: whether it exited with 0.
 * Returns 0, or a negative errno where it could not be run or wrote more.
 */
int helper_run(const char *const argv[], int input_fd, size_t output_bytes_max, char **ret_output,
	       size_t *ret_length, bool *ret_is_good, struct error *err);

#endif
