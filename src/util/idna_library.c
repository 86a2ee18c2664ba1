/* International host names by libidn2; see idna.h. */
#include <errno.h>
#include <idn2.h>
#include <stdint.h>
#include <string.h>

#include "util/idna.h"

int
idna_to_ascii(const char *name, char *ret_ascii, size_t size, struct error *err)
{
	uint8_t *ascii = NULL;
	int r;

	if (strlen(name) > IDNA_NAME_MAX_BYTES)
		return error_set(err, -ENAMETOOLONG, "the host name is too long");
	r = idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NONTRANSITIONAL);
	if (r != IDN2_OK)
		return error_set(err, -EINVAL, "not an international host name (IDNA2008): %s",
				 idn2_strerror(r));
	r = strlen((const char *)ascii) < size
		? 0
		: error_set(err, -ENAMETOOLONG, "the host name is too long");
	if (r == 0)
		strcpy(ret_ascii, (const char *)ascii);
	idn2_free(ascii);
	return r;
}
