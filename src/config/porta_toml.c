/*
 * porta-toml: reads a porta.toml on standard input and writes what it holds as JSON (toml_json.h). A program of
 * its own, since toml++ is C++; and walled in before it reads a byte, since the file may be a stranger's.
 * Ends with 0 where it could say something, a mistake in the file included.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/toml_json.h"
#include "config/toml_shim.h"
#include "util/fd.h"
#include "util/os_confine.h"
#include "util/strings.h"

#define CPU_SECONDS_MAX 10

/*
 * toml++ frees tables within tables by recursion, and dotted keys nest TOML_BYTES_MAX / 2 of them: 60 bytes of
 * stack each, 500 with sanitizers. Below the 128 MiB that the kernel leaves free under every stack.
 */
#define STACK_BYTES_MAX ((rlim_t)96 * 1024 * 1024)

#ifdef __SANITIZE_ADDRESS__
#define DATA_BYTES_MAX RLIM_INFINITY /* its shadow memory counts too */
#else
#define DATA_BYTES_MAX ((rlim_t)256 * 1024 * 1024)
#endif

static int
confine(void)
{
	static const struct confine_limit limits[] = {
		{ RLIMIT_CPU, CPU_SECONDS_MAX }, { RLIMIT_DATA, DATA_BYTES_MAX }, { RLIMIT_NOFILE, 8 },
		{ RLIMIT_CORE, 0 },		 { RLIMIT_NPROC, 0 },		    { RLIMIT_STACK, STACK_BYTES_MAX },
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

static _noreturn_ void
finish(const struct strbuf *out)
{
	_exit(fd_write_all(STDOUT_FILENO, out->text, out->length) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

void
toml_give_up(void)
{
	struct strbuf out = STRBUF_INIT;

	toml_json_put_error(&out, "not TOML, in a place that its parser cannot tell", 0, 0);
	finish(&out);
}

int
main(void)
{
	struct strbuf out = STRBUF_INIT;
	char *text = NULL;
	size_t length = 0;

	if (confine() < 0 || fd_read_whole(STDIN_FILENO, TOML_BYTES_MAX, &text, &length) < 0)
		_exit(EXIT_FAILURE);
	toml_json_put(&out, text, length);
	finish(&out);
}
