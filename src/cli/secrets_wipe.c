/* Secrets on porta's own command line; see secrets_wipe.h. */
#include "cli/secrets_wipe.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "cli/run_options.h"
#include "util/mem.h"
#include "util/strings.h"

/* Hides what follows the first "=" of the value that begins at `offset`. */
static void
hide_value(char **argument, size_t offset)
{
	char *shown = *argument;
	char *equals = strchr(shown + offset, '=');
	/* Without "=", "-e KEY" names a variable and "--secret VALUE" is a slip that shows one. */
	char *start = equals != NULL ? equals + 1 : shown + offset;

	*argument = mem_strdup(shown);
	memset(start, '*', strlen(start));
}

void
secrets_wipe(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct run_option *option = run_option_find(argv[i], &value);

		if (str_equal(argv[i], "--"))
			return;
		if (option == NULL || !option->is_secret)
			continue;
		if (value != NULL)
			hide_value(&argv[i], (size_t)(value - argv[i]));
		else if (i + 1 < argc && !run_option_looks_like(argv[i + 1]))
			hide_value(&argv[++i], 0);
	}
}
