/* porta init: writes a porta.toml to begin with. */
#include <errno.h>
#include <fcntl.h>

#include "cli/command.h"
#include "cli/init_detect.h"
#include "cli/output.h"
#include "config/project_file.h"
#include "config/toml_text.h"
#include "util/fd.h"
#include "util/mem.h"

static const char head[] =
    "# What runs here, and what it may touch. 'porta up' runs it, 'porta explain' shows what this\n"
    "# comes to. Every flag of 'porta run' and 'porta serve' has a key: docs/porta-toml.md.\n"
    "# Paths are relative to this file.\n"
    "\n";
static const char native_sandbox[] =
    "\n"
    "[sandbox]\n"
    "mounts = [\".\"]                # what it may change; \"PATH:ro\" is only readable, also inside another\n"
    "# network = [\"api.example.com:443\", \"*.example.org:443\"]   # nothing else can be reached then\n"
    "# net = \"loopback_only\"       # or a policy by name: full, outbound, loopback_only, blocked\n"
    "# deny-read = [\"credentials\"] # hide the well-known stores of tokens\n"
    "# allow-protected = [\".git/config\"]   # files that make other programs run code\n";
static const char agent_sandbox[] =
    "\n"
    "[sandbox]\n"
    "profile = \"worker\"            # ai-agent (io, process), worker (also clock, random), full (all)\n"
    "# cap = \"io,process,fs\"       # or its capabilities one by one\n"
    "# mounts = [\"./workspace\"]    # the directories that it sees; without any: this one, to read\n"
    "# network = [\"api.example.com:443\"]   # with the capability net: where porta.http may go\n"
    "# allow-exec = [\"git\", \"rg\"]  # with the capability exec: what porta.exec may start\n";
static const char native_tail[] =
    "\n"
    "[env]                         # beside PATH, HOME, LANG and the like, which are always there\n"
    "# NODE_ENV = \"production\"\n"
    "# CI = { from-env = true }    # as it is outside\n"
    "\n"
    "[secrets]                     # as [env], and never shown\n"
    "# API_KEY = { from-env = true }\n"
    "\n"
    "[limits]\n"
    "# timeout = \"1h\"\n"
    "# memory = \"4G\"\n";
static const char agent_tail[] =
    "\n"
    "[env]                         # all that it sees of an environment\n"
    "# MODE = \"production\"\n"
    "\n"
    "[secrets]                     # as [env], and never shown\n"
    "# API_KEY = { from-env = true }\n"
    "\n"
    "[limits]\n"
    "# timeout = \"30s\"\n"
    "# step-limit = 1000000000\n"
    "# max-memory = 256            # in pages of 64 KiB\n"
    "\n"
    "[serve]                       # of 'porta serve', which takes its agent from here\n"
    "# http = \"127.0.0.1:8080\"\n";

static const char *const init_words[] = { "native", "wasm", NULL };

struct init_arguments {
	bool help;
	const char *kind; /* "native", "wasm", or NULL */
	const char *target;
	char **rest; /* its arguments */
	int rest_count;
};

/* [native|wasm] [cmd] [args...], and "--" before what looks like a flag. */
static int
parse_arguments(int argc, char **argv, struct init_arguments *ret_arguments, struct error *err)
{
	struct init_arguments arguments = { 0 };
	bool is_over = false;
	int i;

	for (i = 1; i < argc && arguments.target == NULL; i++) {
		_cleanup_free_ char *quoted = NULL;
		bool is_kind = str_equal(argv[i], init_words[0]) || str_equal(argv[i], init_words[1]);

		if (!is_over && str_equal(argv[i], "--")) {
			is_over = true;
		} else if (!is_over && (str_equal(argv[i], "--help") || str_equal(argv[i], "-h"))) {
			arguments.help = true;
			break;
		} else if (!is_over && argv[i][0] == '-') {
			quoted = output_quote_name(argv[i]);
			return error_set(err, -EINVAL, "unknown flag %s (its one flag is --help)", quoted);
		} else if (!is_over && arguments.kind == NULL && is_kind) {
			arguments.kind = argv[i];
		} else if (arguments.kind == NULL) {
			quoted = output_quote(argv[i]);
			return error_set(err, -EINVAL,
					 "%s: whether it is a command or an agent comes first, as in: porta init %s %s",
					 quoted, str_ends_with(argv[i], ".wasm") ? "wasm" : "native", argv[i]);
		} else {
			arguments.target = argv[i];
		}
	}
	if (i < argc && !is_over && str_equal(argv[i], "--"))
		i++;
	arguments.rest = argv + i;
	arguments.rest_count = argc - i;
	*ret_arguments = arguments;
	return 0;
}

static void
put_arguments(struct strbuf *out, const char *const *arguments, size_t count)
{
	strbuf_puts(out, count > 0 ? "args = [" : "# args = [\"--verbose\"]\n");
	for (size_t i = 0; i < count; i++) {
		strbuf_puts(out, i > 0 ? ", " : "");
		toml_put_string(out, arguments[i]);
	}
	strbuf_puts(out, count > 0 ? "]\n" : "");
}

static void
put_file(struct strbuf *out, bool is_agent, const char *target, const char *const *arguments, size_t count)
{
	strbuf_puts(out, head);
	strbuf_printf(out, "[runtime]\ntype = \"%s\"\n%s = ", is_agent ? "wasm" : "native",
		      is_agent ? "wasm" : "command");
	toml_put_string(out, target);
	strbuf_putc(out, '\n');
	put_arguments(out, arguments, count);
	strbuf_puts(out, is_agent ? agent_sandbox : native_sandbox);
	strbuf_puts(out, is_agent ? agent_tail : native_tail);
}

/* What is not said is found out. *ret_because: the file that says so. */
static int
make_text(const struct init_arguments *arguments, struct strbuf *out, char **ret_because, struct error *err)
{
	bool is_agent = arguments->kind != NULL && str_equal(arguments->kind, "wasm");
	struct init_target found = { .command = arguments->target,
				     .arguments = (const char *const *)arguments->rest };
	_cleanup_free_ char *agent = NULL;
	size_t count = (size_t)arguments->rest_count;

	if (is_agent && arguments->target != NULL && !str_ends_with(arguments->target, ".wasm"))
		return error_set(err, -EINVAL, "the name of an agent ends with .wasm, as in: porta init wasm agent.wasm");
	if (!is_agent && arguments->target != NULL && str_ends_with(arguments->target, ".wasm"))
		return error_set(err, -EINVAL, "%s is a WASM agent: porta init wasm %s", arguments->target,
				 arguments->target);
	if (arguments->target == NULL && (is_agent || arguments->kind == NULL)) {
		agent = init_detect_agent();
		if (is_agent && agent == NULL)
			return error_set(err, -EINVAL,
					 "there is not one .wasm file here: name the agent, as in: porta init wasm "
					 "agent.wasm");
		is_agent = agent != NULL;
		found.command = agent;
	}
	if (found.command == NULL) {
		init_detect_command(&found);
		for (count = 0; found.arguments[count] != NULL; count++)
			continue;
	}
	put_file(out, is_agent, found.command, found.arguments, count);
	*ret_because = agent != NULL ? TAKE_PTR(agent) : found.because != NULL ? mem_strdup(found.because) : NULL;
	return 0;
}

static int
write_file(const struct strbuf *text, struct error *err)
{
	/* O_EXCL follows no symlink either. */
	_cleanup_fd_ int fd = open(PROJECT_FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r;

	if (fd < 0 && errno == EEXIST)
		return error_set(err, -EEXIST,
				 "there is a porta.toml here already, and it stays as it is ('porta up' runs it)");
	if (fd < 0)
		return error_set_errno(err, -errno, "cannot make porta.toml");
	r = fd_write_all(fd, text->text, text->length);
	if (r < 0) {
		(void)unlink(PROJECT_FILE_NAME);
		return error_set_errno(err, r, "cannot write porta.toml");
	}
	return 0;
}

static int
run_init(int argc, char **argv)
{
	struct init_arguments arguments = { 0 };
	struct strbuf text = STRBUF_INIT;
	struct strbuf told = STRBUF_INIT;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *because = NULL;
	int code = EXIT_CODE_FAILED;
	int r = parse_arguments(argc, argv, &arguments, &err);

	if (r == 0 && arguments.help) {
		command_write_help(&command_init, &told);
	} else if (r == 0) {
		r = make_text(&arguments, &text, &because, &err);
		if (r == 0)
			r = write_file(&text, &err);
		strbuf_printf(&told, "porta.toml is written%s%s; 'porta up' runs it, 'porta explain' shows what it may touch\n",
			      because != NULL ? ", for there is " : "", because != NULL ? because : "");
	}
	code = r < 0 ? output_fail(command_init.name, &err, code) : output_print(&told);
	strbuf_done(&told);
	strbuf_done(&text);
	return code;
}

const struct command command_init = {
	.name = "init",
	.form = "[native|wasm] [command] [-- args...]",
	.summary = "write a porta.toml to begin with",
	.usage =
	    "Writes a commented porta.toml in this directory, never over one that is there.\n"
	    "Without a command it is found out by the directory's files: package.json,\n"
	    "Cargo.toml, go.mod, a Makefile, a .wasm file.\n"
	    "\n"
	    "  porta init native claude && porta up -- --print \"hi\"\n"
	    "  porta init wasm agent.wasm && porta up\n"
	    "  porta init native npm -- run dev\n",
	.words = init_words,
	.run = run_init,
};
