/* porta: the command line. This file is the table of its commands, and the way to them. */
#include <errno.h>
#include <fcntl.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/secrets_wipe.h"

const struct command *const commands[] = {
	&command_run,
	&command_up,
	&command_init,
	&command_explain,
#if PORTA_HAS_WASM
	&command_serve,
	&command_inspect,
	&command_validate,
	&command_build,
	&command_cache,
#endif
	&command_doctor,
	&command_completion,
	&command_version,
	&command_help,
	NULL,
};

const char *const command_names[] = {
	"run",	   "up",	 "init",     "explain",
#if PORTA_HAS_WASM
	"serve",   "inspect",	 "validate", "build",   "cache",
#endif
	"doctor",  "completion", "version", "help",  NULL,
};

static_assert(ARRAY_SIZE(commands) == ARRAY_SIZE(command_names), "a name for each command");

/*
 * A descriptor that porta opens must never take the number of a closed standard stream,
 * where a message for a person would be written into it. What is put there gives the same EBADF as
 * a closed one when it is used: /dev/null, open the wrong way.
 */
static void
hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int held;

		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		held = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
		if (held < 0)
			held = open("/", O_PATH | O_DIRECTORY);
		if (held != fd)
			_exit(EXIT_CODE_FAILED);
	}
}

static int
print_list(bool asked_for)
{
	struct strbuf text = STRBUF_INIT;
	int code = EXIT_CODE_FAILED;

	command_list_help(&text);
	if (asked_for) {
		code = output_print(&text);
	} else {
		/* Called with nothing: an error, so standard output stays clean for a pipe. */
		ssize_t written = write(STDERR_FILENO, text.text, text.length);

		(void)written;
	}
	strbuf_done(&text);
	return code;
}

int
main(int argc, char **argv)
{
	const struct command *command;
	struct error err = ERROR_INIT;

	hold_standard_descriptors();
	secrets_wipe(argc, argv);
	if (argc < 2)
		return print_list(false);
	if (str_equal(argv[1], "--help") || str_equal(argv[1], "-h"))
		return print_list(true);
	if (str_equal(argv[1], "--version"))
		return command_version.run(1, argv + 1);
	command = command_find(argv[1]);
	if (command == NULL) {
		command_unknown(argv[1], &err);
		return output_fail(NULL, &err, EXIT_CODE_FAILED);
	}
	return command->run(argc - 1, argv + 1);
}
