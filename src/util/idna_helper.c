/* International host names by porta-idna; see idna.h. */
#include <errno.h>
#include <string.h>

#include "util/helper.h"
#include "util/idna.h"
#include "util/mem.h"

int
idna_to_ascii(const char *name, char *ret_ascii, size_t size, struct error *err)
{
	const char *const argv[] = { "porta-idna", name, NULL };
	_cleanup_free_ char *ascii = NULL;
	bool is_good;
	int r;

	if (strlen(name) > IDNA_NAME_MAX_BYTES)
		return error_set(err, -ENAMETOOLONG, "the host name is too long");
	r = helper_run(argv, -1, ERROR_MESSAGE_BYTES, &ascii, NULL, &is_good, err);
	if (r < 0)
		return error_wrap(err, r, "a host name that is not ASCII");
	ascii[strcspn(ascii, "\n")] = '\0';
	if (!is_good)
		return error_set(err, -EINVAL, "%s",
				 *ascii != '\0' ? ascii : "porta-idna could not convert the host name");
	if (strlen(ascii) >= size)
		return error_set(err, -ENAMETOOLONG, "the host name is too long");
	strcpy(ret_ascii, ascii);
	return 0;
}
