/* The way to run a directory, by its files; see init_detect.h. */
#include "cli/init_detect.h"

#include <dirent.h>
#include <unistd.h>

#include "util/mem.h"
#include "util/strings.h"

static const struct {
	const char *file;
	const char *command;
	const char *arguments[4];
} known[] = {
	{ "package.json", "npm", { "start", NULL } },
	{ "Cargo.toml", "cargo", { "run", NULL } },
	{ "go.mod", "go", { "run", ".", NULL } },
	{ "manage.py", "python3", { "manage.py", "runserver", NULL } },
	{ "main.py", "python3", { "main.py", NULL } },
	{ "Gemfile", "bundle", { "exec", "rake", NULL } },
	{ "Makefile", "make", { NULL } },
};

void
init_detect_command(struct init_target *ret_target)
{
	static const char *const none[] = { NULL };

	*ret_target = (struct init_target){ .command = "bash", .arguments = none };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (access(known[i].file, F_OK) < 0)
			continue;
		*ret_target = (struct init_target){ .command = known[i].command,
						    .arguments = known[i].arguments,
						    .because = known[i].file };
		return;
	}
}

char *
init_detect_agent(void)
{
	_cleanup_free_ char *found = NULL;
	DIR *directory = opendir(".");
	struct dirent *entry;
	size_t count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (!str_ends_with(entry->d_name, ".wasm"))
			continue;
		count++;
		free(found);
		found = mem_strdup(entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
	return count == 1 ? TAKE_PTR(found) : NULL;
}
