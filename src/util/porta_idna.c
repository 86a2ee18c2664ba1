/* porta-idna NAME: prints the A-label form of an international host name; see idna.h. */
#include <stdio.h>

#include "util/idna.h"

int
main(int argc, char **argv)
{
	char ascii[IDNA_NAME_MAX_BYTES];
	struct error err = ERROR_INIT;
	int r = argc == 2 ? idna_to_ascii(argv[1], ascii, sizeof(ascii), &err)
			  : error_set(&err, -1, "usage: porta-idna NAME");

	puts(r < 0 ? err.message : ascii);
	return r < 0;
}
