/* Base64; see base64.h. */
#include "http/base64.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

/* resolv.h brings some of its own. */
#undef MIN
#undef MAX
#include "util/mem.h"

char *
base64_encode(const char *bytes, size_t length)
{
	size_t capacity = (length + 2) / 3 * 4 + 1;
	char *text = mem_zalloc(capacity, 1);

	/* Cannot fail: there is room. */
	(void)b64_ntop((const unsigned char *)bytes, length, text, capacity);
	return text;
}

int
base64_decode(const char *text, char **ret_bytes, size_t *ret_length)
{
	size_t capacity = strlen(text) / 4 * 3 + 3;
	char *bytes = mem_zalloc(capacity + 1, 1);
	int n = b64_pton(text, (unsigned char *)bytes, capacity);

	if (n < 0) {
		free(bytes);
		return -EINVAL;
	}
	*ret_bytes = bytes;
	*ret_length = (size_t)n;
	return 0;
}
