/*
 * The walls around a WASM worker; see walls.h.
 *
 * Theory of operation. A worker reads what nobody trusts: a module, which the parser or the compiler
 * may mishandle, or compiled code, which may be wrong. So what such a mistake could reach is taken
 * away first, in this order: limits of resources; capabilities and privileges; files (Landlock:
 * the guest's directories, and the code itself); system calls (seccomp). What a guest may do within
 * that is the engine's own bookkeeping: WASI's directories, the capabilities of each import.
 */
#include "engine/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "util/mem.h"
#include "util/os_confine.h"

#define COMPILE_DATA_BYTES ((rlim_t)6 * 1024 * 1024 * 1024)
#define COMPILED_BYTES_MAX ((rlim_t)2 * 1024 * 1024 * 1024)
/* Beside the guest's memory the engine's own: mimalloc maps 1 GiB at once, which counts though it is not used. */
#define RUN_DATA_BYTES ((rlim_t)2 * 1024 * 1024 * 1024)
#define OPEN_FILES_MAX 1024

static int
raise_limits(const struct protocol_config *config)
{
	bool compiles = config->role == WORKER_INSPECT || config->role == WORKER_COMPILE;
	const struct confine_limit limits[] = {
		{ RLIMIT_NOFILE, OPEN_FILES_MAX },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_DATA,
		  compiles ? COMPILE_DATA_BYTES : RUN_DATA_BYTES + config->memory_bytes_max },
		{ RLIMIT_FSIZE, compiles ? COMPILED_BYTES_MAX : RLIM_INFINITY },
	};

	return confine_limits(limits, ARRAY_SIZE(limits));
}

/* What every worker's engine and C library call. */
static const struct confine_call engine_calls[] = {
	{ SYS_read, { CONFINE_ANY } },
	{ SYS_readv, { CONFINE_ANY } },
	{ SYS_write, { CONFINE_ANY } },
	{ SYS_writev, { CONFINE_ANY } },
	{ SYS_sendmsg, { CONFINE_EQUAL(0, PROTOCOL_CONTROL_FD) } },
	{ SYS_close, { CONFINE_ANY } },
	{ SYS_fstat, { CONFINE_ANY } },
	{ SYS_lseek, { CONFINE_ANY } },
	{ SYS_brk, { CONFINE_ANY } },
	{ SYS_munmap, { CONFINE_ANY } },
	{ SYS_mremap, { CONFINE_ANY } },
	{ SYS_madvise, { CONFINE_ANY } },
	{ SYS_futex, { CONFINE_ANY } },
	{ SYS_getrandom, { CONFINE_ANY } },
	{ SYS_clock_gettime, { CONFINE_ANY } },
	{ SYS_clock_nanosleep, { CONFINE_ANY } },
	{ SYS_nanosleep, { CONFINE_ANY } },
	{ SYS_sched_yield, { CONFINE_ANY } },
	{ SYS_sched_getaffinity, { CONFINE_ANY } },
	{ SYS_membarrier, { CONFINE_ANY } },
	{ SYS_getpid, { CONFINE_ANY } },
	{ SYS_gettid, { CONFINE_ANY } },
	{ SYS_rt_sigaction, { CONFINE_ANY } },
	{ SYS_rt_sigprocmask, { CONFINE_ANY } },
	{ SYS_rt_sigreturn, { CONFINE_ANY } },
	{ SYS_sigaltstack, { CONFINE_ANY } },
	{ SYS_restart_syscall, { CONFINE_ANY } },
	/* Threads, of the compiler and of WASI; a process is one without the flag. */
	{ SYS_clone, { CONFINE_MASKED(0, CLONE_THREAD, CLONE_THREAD) } },
	{ SYS_set_tid_address, { CONFINE_ANY } },
	{ SYS_prctl, { CONFINE_EQUAL(0, PR_SET_NAME) } },
	{ SYS_seccomp, { CONFINE_ANY } }, /* walls_close_code; a filter only narrows */
	{ SYS_exit, { CONFINE_ANY } },
	{ SYS_exit_group, { CONFINE_ANY } },
};

/* Who compiles has no executable memory; who runs has until walls_close_code. */
static const struct confine_call compile_calls[] = {
	{ SYS_mmap, { CONFINE_MASKED(2, PROT_EXEC, 0) } },
	{ SYS_mprotect, { CONFINE_MASKED(2, PROT_EXEC, 0) } },
};

/* A released C API compiles by loading (prebuilt.c). */
static const struct confine_call load_calls[] = {
	{ SYS_mmap, { CONFINE_ANY } },
	{ SYS_mprotect, { CONFINE_ANY } },
};

static const struct confine_call run_calls[] = {
	{ SYS_mmap, { CONFINE_ANY } },
	{ SYS_mprotect, { CONFINE_ANY } },
	{ SYS_pread64, { CONFINE_ANY } },
	{ SYS_preadv, { CONFINE_ANY } },
	{ SYS_openat, { CONFINE_ANY } },  /* where, Landlock says */
	{ SYS_openat2, { CONFINE_ANY } },
	{ SYS_newfstatat, { CONFINE_ANY } },
	{ SYS_statx, { CONFINE_ANY } },
	{ SYS_getdents64, { CONFINE_ANY } },
	{ SYS_readlinkat, { CONFINE_ANY } },
	/* The way of ".." without openat2, which the sandbox around has not. */
	{ SYS_faccessat2, { CONFINE_ANY } },
	{ SYS_fcntl, { CONFINE_EQUAL(1, F_GETFD) } },
	{ SYS_fcntl, { CONFINE_EQUAL(1, F_SETFD) } },
	{ SYS_fcntl, { CONFINE_EQUAL(1, F_GETFL) } },
	{ SYS_fcntl, { CONFINE_EQUAL(1, F_SETFL) } },
	{ SYS_fcntl, { CONFINE_EQUAL(1, F_DUPFD_CLOEXEC) } },
	{ SYS_ioctl, { CONFINE_EQUAL(1, TCGETS) } },
	{ SYS_ioctl, { CONFINE_EQUAL(1, TIOCGWINSZ) } },
	{ SYS_ioctl, { CONFINE_EQUAL(1, FIONREAD) } },
	{ SYS_fadvise64, { CONFINE_ANY } },
	/* tokio's: waiting for time and for descriptors. */
	{ SYS_ppoll, { CONFINE_ANY } },
	{ SYS_epoll_create1, { CONFINE_ANY } },
	{ SYS_epoll_ctl, { CONFINE_ANY } },
	{ SYS_epoll_pwait, { CONFINE_ANY } },
	{ SYS_eventfd2, { CONFINE_ANY } },
#ifdef SYS_open /* the older forms, which newer architectures lack */
	{ SYS_open, { CONFINE_ANY } },
	{ SYS_readlink, { CONFINE_ANY } },
	{ SYS_poll, { CONFINE_ANY } },
	{ SYS_epoll_wait, { CONFINE_ANY } },
#endif
};

/* Of guests that have something to write to. */
static const struct confine_call write_calls[] = {
	{ SYS_pwrite64, { CONFINE_ANY } },  { SYS_pwritev, { CONFINE_ANY } },
	{ SYS_pwritev2, { CONFINE_ANY } }, /* O_APPEND */
	{ SYS_mkdirat, { CONFINE_ANY } },   { SYS_unlinkat, { CONFINE_ANY } },
	{ SYS_renameat, { CONFINE_ANY } },
	{ SYS_renameat2, { CONFINE_ANY } }, { SYS_linkat, { CONFINE_ANY } },
	{ SYS_symlinkat, { CONFINE_ANY } }, { SYS_ftruncate, { CONFINE_ANY } },
	{ SYS_fallocate, { CONFINE_ANY } }, { SYS_utimensat, { CONFINE_ANY } },
	{ SYS_fsync, { CONFINE_ANY } },	    { SYS_fdatasync, { CONFINE_ANY } },
};

struct call_list {
	struct confine_call calls[CONFINE_CALLS_MAX];
	size_t count;
};

static void
add_calls(struct call_list *list, const struct confine_call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list->calls[list->count++] = calls[i];
}

static bool
changes_files(const struct protocol_config *config)
{
	for (size_t i = 0; i < config->paths_count; i++) {
		if (config->paths[i].is_mutable)
			return true;
	}
	return false;
}

static int
filter_calls(const struct protocol_config *config)
{
	struct call_list list = { .count = 0 };

	add_calls(&list, engine_calls, ARRAY_SIZE(engine_calls));
	if (PORTA_PREBUILT_WASMTIME && config->role == WORKER_COMPILE) {
		add_calls(&list, load_calls, ARRAY_SIZE(load_calls));
	} else if (config->role == WORKER_INSPECT || config->role == WORKER_COMPILE) {
		add_calls(&list, compile_calls, ARRAY_SIZE(compile_calls));
	} else {
		add_calls(&list, run_calls, ARRAY_SIZE(run_calls));
		if (changes_files(config))
			add_calls(&list, write_calls, ARRAY_SIZE(write_calls));
	}
	return confine_calls(list.calls, list.count, CONFINE_EPERM);
}

static const enum confine_access accesses[] = {
	[ACCESS_LIST] = CONFINE_LIST,
	[ACCESS_READ] = CONFINE_READ,
	[ACCESS_WRITE] = CONFINE_WRITE,
};

/* One entry for each path, and one for the code, which is opened again to be loaded. */
static int
open_paths(const struct protocol_config *config, struct confine_path *entries, int *fds,
	   struct error *err)
{
	for (size_t i = 0; i < config->paths_count; i++) {
		const struct protocol_path *path = &config->paths[i];
		struct stat status;

		fds[i] = open(path->host_path, O_PATH | O_CLOEXEC);
		if (fds[i] < 0 || fstat(fds[i], &status) < 0)
			return error_set_errno(err, -errno, "cannot open %s", path->host_path);
		entries[i] = (struct confine_path){ .fd = fds[i],
						    .is_directory = S_ISDIR(status.st_mode),
						    .access = accesses[path->access] };
	}
	entries[config->paths_count] =
	    (struct confine_path){ .fd = PROTOCOL_CODE_FD, .access = CONFINE_READ };
	return 0;
}

int
walls_raise(const struct protocol_config *config, int **ret_fds, struct error *err)
{
	bool runs = config->role == WORKER_RUN || config->role == WORKER_SERVE;
	_cleanup_free_ struct confine_path *entries =
	    mem_zalloc(config->paths_count + 1, sizeof(*entries));
	_cleanup_free_ int *fds = mem_zalloc(config->paths_count + 1, sizeof(*fds));
	int r;

	r = open_paths(config, entries, fds, err);
	if (r < 0)
		return r;
	r = raise_limits(config);
	if (r < 0)
		return error_set_errno(err, r, "cannot limit its resources");
	r = confine_privileges();
	if (r < 0)
		return error_set_errno(err, r, "cannot drop its privileges");
	/* A small module is compiled before 2 MiB are set to zero: 2 of 10 ms. Failing is no matter. */
	if (!runs)
		(void)prctl(PR_SET_THP_DISABLE, 1UL, 0UL, 0UL, 0UL);
	r = confine_files(entries, runs ? config->paths_count + 1 : 0);
	if (r < 0)
		return error_set_errno(err, r, "cannot be kept from files (Landlock)");
	r = filter_calls(config);
	if (r < 0)
		return error_set_errno(err, r, "cannot be kept from system calls (seccomp)");
	*ret_fds = TAKE_PTR(fds);
	return 0;
}

int
walls_close_code(void)
{
	return confine_no_new_code();
}
