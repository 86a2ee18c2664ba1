/* Base64 (RFC 4648, section 4), by the C library's b64_ntop and b64_pton. */
#ifndef PORTA_HTTP_BASE64_H
#define PORTA_HTTP_BASE64_H

#include <stddef.h>

/* NUL-terminated; the caller frees it. */
char *base64_encode(const char *bytes, size_t length);
/* Blanks are skipped. 0 with fresh memory, which the caller frees, or -EINVAL. */
int base64_decode(const char *text, char **ret_bytes, size_t *ret_length);

#endif
