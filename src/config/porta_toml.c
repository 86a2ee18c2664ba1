/*
 * porta-toml: reads a porta.toml on standard input and writes what it holds as JSON (toml_json.h). A program of
 * its own, since toml++ is C++; and walled in before it reads a byte, since the file may be a stranger's.
 * Ends with 0 where it could say something, a mistake in the file included.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/toml_json.h"
#include "config/toml_shim.h"
#include "util/fd.h"
#include "util/os_confine.h"
#include "util/strings.h"

#define CPU_SECONDS_MAX 10

#ifdef __SANITIZE_ADDRESS__
#define DATA_BYTES_MAX RLIM_INFINITY /* its shadow memory counts too */
#else
#define DATA_BYTES_MAX ((rlim_t)256 * 1024 * 1024)
#endif

static const char *const kind_names[] = {
	[TOML_TABLE] = "table",	  [TOML_ARRAY] = "array",     [TOML_STRING] = "string", [TOML_INTEGER] = "integer",
	[TOML_FLOAT] = "float",	  [TOML_BOOLEAN] = "boolean", [TOML_OTHER] = "other",
};
static_assert(ARRAY_SIZE(kind_names) == TOML_KIND_COUNT, "a name for each kind");

struct writer {
	struct strbuf out;
	size_t nodes;
	bool in_array; /* the last node was one, or an item of it: "items" is open */
	bool is_refused;
	struct toml_error refusal;
};

static int
confine(void)
{
	static const struct confine_limit limits[] = {
		{ RLIMIT_CPU, CPU_SECONDS_MAX }, { RLIMIT_DATA, DATA_BYTES_MAX }, { RLIMIT_NOFILE, 8 },
		{ RLIMIT_CORE, 0 },		 { RLIMIT_NPROC, 0 },
	};
	static const struct confine_call calls[] = {
		{ SYS_read, { CONFINE_EQUAL(0, STDIN_FILENO) } },
		{ SYS_write, { CONFINE_EQUAL(0, STDOUT_FILENO) } },
		{ SYS_write, { CONFINE_EQUAL(0, STDERR_FILENO) } },
		{ SYS_fstat, { CONFINE_ANY } },
		{ SYS_newfstatat, { CONFINE_EQUAL(0, STDIN_FILENO) } },
		{ SYS_brk, { CONFINE_ANY } },
		{ SYS_mmap, { CONFINE_MASKED(2, PROT_EXEC, 0), CONFINE_MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS) } },
		{ SYS_mprotect, { CONFINE_MASKED(2, PROT_EXEC, 0) } },
		{ SYS_munmap, { CONFINE_ANY } },
		{ SYS_mremap, { CONFINE_ANY } },
		{ SYS_madvise, { CONFINE_ANY } },
		{ SYS_futex, { CONFINE_ANY } },
		{ SYS_getrandom, { CONFINE_ANY } },
		{ SYS_rt_sigreturn, { CONFINE_ANY } },
		{ SYS_exit, { CONFINE_ANY } },
		{ SYS_exit_group, { CONFINE_ANY } },
#ifdef __SANITIZE_ADDRESS__
		{ SYS_sigaltstack, { CONFINE_ANY } }, /* of the sanitizer, before _exit */
#endif
	};
	int r = confine_limits(limits, ARRAY_SIZE(limits));

	if (r == 0)
		r = confine_privileges();
	if (r == 0)
		r = confine_files(NULL, 0);
	/* Without Landlock the filter still leaves no call that opens anything. */
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	return confine_calls(calls, ARRAY_SIZE(calls), CONFINE_KILL);
}

static void
put_value(struct strbuf *out, const struct toml_node *node)
{
	switch (node->kind) {
	case TOML_STRING:
		strbuf_puts(out, ",\"value\":");
		strbuf_put_json_bytes(out, node->text, node->length);
		break;
	case TOML_INTEGER:
		strbuf_printf(out, ",\"value\":\"%lld\"", (long long)node->integer);
		break;
	case TOML_BOOLEAN:
		strbuf_printf(out, ",\"value\":%s", node->boolean ? "true" : "false");
		break;
	default:
		break;
	}
}

static void
end_array(struct writer *writer)
{
	if (writer->in_array)
		strbuf_puts(&writer->out, "]}");
	writer->in_array = false;
}

/* What is TOML, and yet nothing that porta takes. Ends the walk. */
static bool
refuse(struct writer *writer, const struct toml_node *node, const char *why)
{
	writer->is_refused = true;
	writer->refusal.line = node->line;
	writer->refusal.column = node->column;
	snprintf(writer->refusal.message, sizeof(writer->refusal.message), "%s", why);
	return false;
}

static bool
write_node(const struct toml_node *node, void *data)
{
	struct writer *writer = data;
	struct strbuf *out = &writer->out;

	if (++writer->nodes > TOML_NODES_MAX)
		return refuse(writer, node, "more keys and values than porta reads");
	if (node->kind == TOML_STRING && memchr(node->text, '\0', node->length) != NULL)
		return refuse(writer, node, "a NUL character in a string");
	if (!node->is_item)
		end_array(writer);
	/* Behind another of its kind; the first of an array or of all has none before it. */
	if (out->text[out->length - 1] != '[')
		strbuf_putc(out, ',');
	strbuf_putc(out, '{');
	if (!node->is_item) {
		strbuf_puts(out, "\"path\":[");
		for (size_t i = 0; i < node->path_count; i++) {
			strbuf_puts(out, i > 0 ? "," : "");
			strbuf_put_json(out, node->path[i]);
		}
		strbuf_puts(out, "],");
	}
	strbuf_printf(out, "\"kind\":\"%s\",\"line\":%u,\"column\":%u", kind_names[node->kind], node->line,
		      node->column);
	put_value(out, node);
	if (node->kind == TOML_ARRAY) {
		strbuf_puts(out, ",\"items\":[");
		writer->in_array = true;
		return true;
	}
	strbuf_putc(out, '}');
	return true;
}

static void
put_error(struct strbuf *out, const struct toml_error *error)
{
	strbuf_puts(out, "{\"error\":");
	strbuf_put_json(out, error->message);
	strbuf_printf(out, ",\"line\":%u,\"column\":%u}", error->line, error->column);
}

static _noreturn_ void
finish(const struct strbuf *out)
{
	_exit(fd_write_all(STDOUT_FILENO, out->text, out->length) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

void
toml_give_up(void)
{
	static const struct toml_error error = { .message = "not TOML, in a place that its parser cannot tell" };
	struct strbuf out = STRBUF_INIT;

	put_error(&out, &error);
	finish(&out);
}

int
main(void)
{
	struct writer writer = { .out = STRBUF_INIT };
	char *text = NULL;
	size_t length = 0;

	if (confine() < 0 || fd_read_whole(STDIN_FILENO, TOML_BYTES_MAX, &text, &length) < 0)
		_exit(EXIT_FAILURE);
	strbuf_puts(&writer.out, "{\"nodes\":[");
	if (!toml_read(text, length, write_node, &writer, &writer.refusal))
		writer.is_refused = true;
	if (writer.is_refused) {
		writer.out.length = 0;
		put_error(&writer.out, &writer.refusal);
	} else {
		end_array(&writer);
		strbuf_puts(&writer.out, "]}");
	}
	finish(&writer.out);
}
