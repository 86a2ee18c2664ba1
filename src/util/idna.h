/*
 * International host names: from UTF-8 to RFC 5891 A-labels, by libidn2 (IDNA2008, UTS 46
 * mapping, non-transitional).
 *
 * Two implementations: idna_library.c calls libidn2 itself. idna_helper.c, for a porta that
 * is linked with musl and so cannot link the distribution's libidn2, has the small program
 * porta-idna do it, which costs a process for a name that is not ASCII.
 */
#ifndef PORTA_UTIL_IDNA_H
#define PORTA_UTIL_IDNA_H

#include <stddef.h>

#include "util/error.h"

/* The longest UTF-8 name that is tried. */
#define IDNA_NAME_MAX_BYTES 1024

/* Writes the A-label form of `name`. -EINVAL with the library's reason, -ENAMETOOLONG, or why the helper failed. */
int idna_to_ascii(const char *name, char *ret_ascii, size_t size, struct error *err);

#endif
