/* The command line and environment that other processes see; see title.h. */
#include "util/title.h"

#include <errno.h>
#include <string.h>

#include "util/macros.h"
#include "util/mem.h"

void
title_replace(const char *name)
{
	char *start = program_invocation_name;
	char *end = start + strlen(start) + 1;
	size_t length;

	/* The kernel lays the environment's strings right behind the arguments'. */
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		if (*entry >= start && *entry + strlen(*entry) + 1 > end)
			end = *entry + strlen(*entry) + 1;
	}
	length = MIN(strlen(name), (size_t)(end - start) - 1);
	environ = NULL;
	mem_wipe(start, (size_t)(end - start));
	memcpy(start, name, length);
}
