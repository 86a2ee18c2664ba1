/* Capabilities of WASM agents: names, profiles, and what each import needs; see capability.h. */
#include "policy/capability.h"

#include <errno.h>
#include <string.h>

#include "util/macros.h"

#define WASI  "wasi_snapshot_preview1"
#define PORTA "porta"

/* The most bytes of a module's own names that a message shows. */
#define NAME_SHOWN_MAX_BYTES 80

#define SET(capability) (1U << (capability))

/*
 * What works on a descriptor that the agent was given is io: without fs there are the standard
 * streams alone, and a file opened without fs.write is not writable. What changes a file or a
 * directory by other means than writing to it is fs.write. Flushing changes nothing.
 */
const struct capability_function capability_functions[] = {
	{ WASI, "args_get", CAPABILITY_PROCESS },
	{ WASI, "args_sizes_get", CAPABILITY_PROCESS },
	{ WASI, "clock_res_get", CAPABILITY_CLOCK },
	{ WASI, "clock_time_get", CAPABILITY_CLOCK },
	{ WASI, "environ_get", CAPABILITY_ENV },
	{ WASI, "environ_sizes_get", CAPABILITY_ENV },
	{ WASI, "fd_advise", CAPABILITY_FS },
	{ WASI, "fd_allocate", CAPABILITY_FS_WRITE },
	{ WASI, "fd_close", CAPABILITY_IO },
	{ WASI, "fd_datasync", CAPABILITY_FS },
	{ WASI, "fd_fdstat_get", CAPABILITY_IO },
	{ WASI, "fd_fdstat_set_flags", CAPABILITY_IO },
	{ WASI, "fd_fdstat_set_rights", CAPABILITY_IO },
	{ WASI, "fd_filestat_get", CAPABILITY_FS },
	{ WASI, "fd_filestat_set_size", CAPABILITY_FS_WRITE },
	{ WASI, "fd_filestat_set_times", CAPABILITY_FS_WRITE },
	{ WASI, "fd_pread", CAPABILITY_FS },
	{ WASI, "fd_prestat_dir_name", CAPABILITY_FS },
	{ WASI, "fd_prestat_get", CAPABILITY_FS },
	{ WASI, "fd_pwrite", CAPABILITY_FS_WRITE },
	{ WASI, "fd_read", CAPABILITY_IO },
	{ WASI, "fd_readdir", CAPABILITY_FS },
	{ WASI, "fd_renumber", CAPABILITY_IO },
	{ WASI, "fd_seek", CAPABILITY_IO },
	{ WASI, "fd_sync", CAPABILITY_FS },
	{ WASI, "fd_tell", CAPABILITY_IO },
	{ WASI, "fd_write", CAPABILITY_IO },
	{ WASI, "path_create_directory", CAPABILITY_FS_WRITE },
	{ WASI, "path_filestat_get", CAPABILITY_FS },
	{ WASI, "path_filestat_set_times", CAPABILITY_FS_WRITE },
	{ WASI, "path_link", CAPABILITY_FS_WRITE },
	{ WASI, "path_open", CAPABILITY_FS },
	{ WASI, "path_readlink", CAPABILITY_FS },
	{ WASI, "path_remove_directory", CAPABILITY_FS_WRITE },
	{ WASI, "path_rename", CAPABILITY_FS_WRITE },
	{ WASI, "path_symlink", CAPABILITY_FS_WRITE },
	{ WASI, "path_unlink_file", CAPABILITY_FS_WRITE },
	{ WASI, "poll_oneoff", CAPABILITY_CLOCK },
	{ WASI, "proc_exit", CAPABILITY_PROCESS },
	{ WASI, "proc_raise", CAPABILITY_PROCESS },
	{ WASI, "random_get", CAPABILITY_RANDOM },
	{ WASI, "sched_yield", CAPABILITY_PROCESS },
	{ WASI, "sock_accept", CAPABILITY_NET },
	{ WASI, "sock_recv", CAPABILITY_NET },
	{ WASI, "sock_send", CAPABILITY_NET },
	{ WASI, "sock_shutdown", CAPABILITY_NET },
	{ PORTA, "emit", CAPABILITY_IO },
	{ PORTA, "exec_command", CAPABILITY_EXEC },
	{ PORTA, "http_request", CAPABILITY_NET },
	{ NULL, NULL, CAPABILITY_COUNT },
};

static const char *const names[] = {
	[CAPABILITY_IO] = "io",
	[CAPABILITY_FS] = "fs",
	[CAPABILITY_FS_WRITE] = "fs.write",
	[CAPABILITY_PROCESS] = "process",
	[CAPABILITY_ENV] = "env",
	[CAPABILITY_CLOCK] = "clock",
	[CAPABILITY_RANDOM] = "random",
	[CAPABILITY_NET] = "net",
	[CAPABILITY_EXEC] = "exec",
};
static_assert(ARRAY_SIZE(names) == CAPABILITY_COUNT, "a name for each capability");

/* From the least to the most. */
static const struct {
	const char *name;
	capability_set set;
} profiles[] = {
	{ "ai-agent", SET(CAPABILITY_IO) | SET(CAPABILITY_PROCESS) },
	{ "worker", SET(CAPABILITY_IO) | SET(CAPABILITY_PROCESS) | SET(CAPABILITY_CLOCK) |
			SET(CAPABILITY_RANDOM) },
	{ "full", SET(CAPABILITY_COUNT) - 1 },
};

/* What the modules are that an agent made for something else asks for. */
static const struct {
	const char *name;
	bool is_prefix;
	const char *meaning;
} other_modules[] = {
	{ "env", false,
	  "\"env\" is for functions that were not linked, and for Emscripten's JavaScript; build "
	  "for "
	  "WASI (wasm32-wasip1)" },
	{ "go", false, "\"go\" is Go's JavaScript host; build with GOOS=wasip1" },
	{ "gojs", false, "\"gojs\" is Go's JavaScript host; build with GOOS=wasip1" },
	{ "wbg", false, "\"wbg\" is wasm-bindgen's JavaScript; build for WASI (wasm32-wasip1)" },
	{ "__wbindgen", true, "that is wasm-bindgen's JavaScript; build for WASI (wasm32-wasip1)" },
	{ "wasix_", true, "that is WASIX; build for WASI (wasm32-wasip1)" },
	{ "wasi_ephemeral_", true, "that is a proposal beside it" },
	{ "wasi_snapshot_preview", true, "that is another version of it" },
	{ "wasi", false, "that is WASI threads or their like, and an agent has one thread" },
};

const char *
capability_name(enum capability capability)
{
	return names[capability];
}

static bool
find_name(const char *word, size_t length, capability_set *ret_set)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == length && strncmp(names[i], word, length) == 0) {
			*ret_set = SET(i);
			return true;
		}
	}
	return false;
}

int
capability_parse_list(const char *text, capability_set *ret_set, struct error *err)
{
	capability_set set = 0;
	capability_set one;

	for (;;) {
		size_t length = strcspn(text, ",");

		if (!find_name(text, length, &one))
			break;
		set |= one;
		text += length;
		if (*text == '\0') {
			*ret_set = set;
			return 0;
		}
		text++;
	}
	return error_set(err, -EINVAL,
			 "\"%.*s\" is not a capability: write some of io, fs, fs.write, process, "
			 "env, clock, random, net, exec, with commas",
			 (int)MIN(strcspn(text, ","), (size_t)NAME_SHOWN_MAX_BYTES), text);
}

int
capability_profile(const char *name, capability_set *ret_set, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		if (str_equal(name, profiles[i].name)) {
			*ret_set = profiles[i].set;
			return 0;
		}
	}
	return error_set(err, -EINVAL,
			 "\"%.*s\" is not a profile: write ai-agent (io, process), worker (also "
			 "clock, random) or full (all)",
			 NAME_SHOWN_MAX_BYTES, name);
}

const char *
capability_profile_name(size_t index)
{
	return index < ARRAY_SIZE(profiles) ? profiles[index].name : NULL;
}

static void
put_list(struct strbuf *out, capability_set set, const char *separator)
{
	const char *before = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if ((set & SET(i)) == 0)
			continue;
		strbuf_printf(out, "%s%s", before, names[i]);
		before = separator;
	}
}

void
capability_put_set(struct strbuf *out, capability_set set)
{
	if (set == 0)
		strbuf_puts(out, "none");
	put_list(out, set, ", ");
}

static bool
is_known_module(const char *module)
{
	return str_equal(module, WASI) || str_equal(module, PORTA);
}

void
capability_of_import(const char *module, const char *name, bool is_function,
		     struct import_verdict *ret_verdict)
{
	*ret_verdict = (struct import_verdict){ .kind = IMPORT_UNKNOWN_FUNCTION };
	if (!is_function)
		ret_verdict->kind = IMPORT_NOT_FUNCTION;
	else if (str_equal(module, "wasi_unstable"))
		ret_verdict->kind = IMPORT_OLD_WASI;
	else if (str_starts_with(module, "wasi:"))
		ret_verdict->kind = IMPORT_COMPONENT;
	else if (!is_known_module(module))
		ret_verdict->kind = IMPORT_OTHER_MODULE;
	if (ret_verdict->kind != IMPORT_UNKNOWN_FUNCTION)
		return;
	for (const struct capability_function *f = capability_functions; f->name != NULL; f++) {
		if (str_equal(f->module, module) && str_equal(f->name, name)) {
			ret_verdict->kind = IMPORT_KNOWN;
			ret_verdict->capability = f->capability;
			return;
		}
	}
}

/* A module's own name in quotes, cut to a length; all but plain ASCII is shown as \xNN. */
static void
put_name(struct strbuf *out, const char *name)
{
	size_t shown = 0;

	strbuf_putc(out, '"');
	for (; *name != '\0' && shown < NAME_SHOWN_MAX_BYTES; name++, shown++) {
		unsigned char c = (unsigned char)*name;

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			strbuf_printf(out, "\\x%02x", c);
		else
			strbuf_putc(out, (char)c);
	}
	strbuf_puts(out, *name != '\0' ? "...\"" : "\"");
}

static void
put_import(struct strbuf *out, const char *module, const char *name)
{
	strbuf_puts(out, "the import ");
	put_name(out, name);
	strbuf_puts(out, " of ");
	put_name(out, module);
}

static const char *
other_module_meaning(const char *module)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_modules); i++) {
		const char *name = other_modules[i].name;

		if (other_modules[i].is_prefix ? str_starts_with(module, name)
					       : str_equal(module, name))
			return other_modules[i].meaning;
	}
	return "porta has that (" WASI ") and the agent protocol (" PORTA ") only";
}

/* "grant it with --cap io,fs or --profile full": the least of each that grants what is granted and
 * needed. */
static void
put_grant(struct strbuf *out, capability_set wanted)
{
	size_t i = 0;

	strbuf_puts(out, "grant it with --cap ");
	put_list(out, wanted, ",");
	while ((wanted & ~profiles[i].set) != 0)
		i++;
	strbuf_printf(out, " or --profile %s", profiles[i].name);
}

bool
capability_refusal(const char *module, const char *name, bool is_function, capability_set granted,
		   struct strbuf *out)
{
	struct import_verdict verdict;

	capability_of_import(module, name, is_function, &verdict);
	if (verdict.kind == IMPORT_KNOWN && (granted & SET(verdict.capability)) != 0)
		return false;
	put_import(out, module, name);
	switch (verdict.kind) {
	case IMPORT_KNOWN:
		strbuf_printf(out, " needs the capability %s: ", names[verdict.capability]);
		put_grant(out, (granted & (SET(CAPABILITY_COUNT) - 1)) | SET(verdict.capability));
		break;
	case IMPORT_UNKNOWN_FUNCTION:
		strbuf_puts(out, str_equal(module, PORTA)
				     ? " is no function of the agent protocol, which has "
				       "http_request, exec_command and emit"
				     : " is none of the 46 functions of WASI preview 1");
		break;
	case IMPORT_OLD_WASI:
		strbuf_puts(out, " is of WASI preview 0, older than 2020: build the agent again "
				 "for WASI preview 1 (wasm32-wasip1)");
		break;
	case IMPORT_COMPONENT:
		strbuf_puts(out, " is an interface of the component model (WASI 0.2 and later): "
				 "build the agent for WASI preview 1 (wasm32-wasip1)");
		break;
	case IMPORT_OTHER_MODULE:
		strbuf_printf(out, " is not of WASI preview 1: %s", other_module_meaning(module));
		break;
	case IMPORT_NOT_FUNCTION:
		strbuf_puts(out, " is no function but a memory, table, global or tag: an agent "
				 "brings its own");
		break;
	}
	return true;
}
