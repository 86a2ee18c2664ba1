/* porta serve: a WASM agent as an MCP server. The server is a program of its own, porta-server. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_options.h"
#include "util/program.h"

#define SERVER_NAME "porta-server"

/* It reads the same command line; what is wrong with that is told here, before anything is loaded. */
static int
become_server(char **argv, struct error *err)
{
	int fd = program_open(SERVER_NAME, err);

	/* What ps shows. */
	argv[0] = (char *)SERVER_NAME;

	if (fd < 0)
		return fd;
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return error_set_errno(err, -errno, "cannot start %s", SERVER_NAME);
}

static int
run_serve(int argc, char **argv)
{
	struct run_options options;
	struct error err = ERROR_INIT;
	struct strbuf help = STRBUF_INIT;
	int code;

	run_options_init(&options, command_serve.name);
	if (run_options_parse(&options, argc, argv, &err) < 0 ||
	    (!options.help && serve_options_check(&options.serve, &err) < 0)) {
		code = output_fail("serve", &err, EXIT_CODE_FAILED);
	} else if (options.help) {
		command_write_help(&command_serve, &help);
		code = output_print(&help);
		strbuf_done(&help);
	} else {
		(void)become_server(argv, &err);
		code = output_fail("serve", &err, EXIT_CODE_FAILED);
	}
	run_options_done(&options);
	return code;
}

const struct command command_serve = {
	.name = "serve",
	.form = "[<agent.wasm>] [options] [-- args...]",
	.summary = "serve a WASM agent to MCP clients",
	.usage =
	    "Serves a WASM agent to clients of the Model Context Protocol, on standard input\n"
	    "and output or by HTTP (--http, at /mcp). What it offers is what its manifest\n"
	    "says, else what it answers to _describe, else the functions that it exports.\n"
	    "Each call runs in a fresh instance, for at most --timeout (60s). Without an\n"
	    "agent: the one of porta.toml, as that says.\n"
	    "\n"
	    "It is granted what --profile or --cap say, else its manifest, else io and\n"
	    "process. With exec and --allow-exec there is also a tool porta.exec, with net\n"
	    "and --allow-net a tool porta.http.\n"
	    "\n"
	    "  porta serve agent.wasm\n"
	    "  porta serve agent.wasm --http 127.0.0.1:8080\n"
	    "  porta serve agent.wasm --profile full --allow-exec git,rg -v .\n"
	    "  porta serve --check agent.wasm\n",
	.has_run_options = true,
	.run = run_serve,
};
