/* The other programs of porta: found beside this one, never by PATH or the environment. */
#ifndef PORTA_UTIL_PROGRAM_H
#define PORTA_UTIL_PROGRAM_H

#include "util/error.h"

/*
 * Opens the program `name` for execveat(2): in the directory of the running executable (a
 * build tree), or else in ../libexec/porta beside it (an installed one). Returns a descriptor
 * (close-on-exec) or a negative errno with a sentence.
 */
int program_open(const char *name, struct error *err);

#endif
