/* Walls of helper programs; see os_confine.h. */
#include "util/os_confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "util/macros.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#error "no system call table for this architecture"
#endif

int
confine_limits(const struct confine_limit *limits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit) < 0)
			return -errno;
		limit.rlim_max = MIN(limit.rlim_max, limits[i].limit);
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i].resource, &limit) < 0)
			return -errno;
	}
	return 0;
}

int
confine_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	/* The bounding set is left: with no_new_privs nothing that it holds can be had again. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0 ||
	    syscall(SYS_capset, &header, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
		return -errno;
	/* After the last change of credentials, since each clears both. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) < 0)
		return -errno;
	return 0;
}

/* linux/landlock.h; the machine that builds may have an older one than the machine that runs. */
enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
};

#define FILE_WRITE (FS_WRITE_FILE | FS_TRUNCATE)
#define TREE_WRITE                                                                                 \
	(FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM | FS_REFER)

/* A rule for a file may have the rights of files alone. */
static const uint64_t access_rights[][2] = {
	[CONFINE_LIST] = { 0, FS_READ_DIR },
	[CONFINE_READ] = { FS_READ_FILE, FS_READ_FILE | FS_READ_DIR },
	[CONFINE_WRITE] = { FS_READ_FILE | FILE_WRITE,
			    FS_READ_FILE | FS_READ_DIR | FILE_WRITE | TREE_WRITE },
};

/* Of each ABI, every right that it knows is handled. */
struct landlock_rights {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};

static const struct landlock_rights landlock_abis[] = {
	[1] = { (1ULL << 13) - 1, 0, 0 }, [2] = { (1ULL << 14) - 1, 0, 0 },
	[3] = { (1ULL << 15) - 1, 0, 0 }, [4] = { (1ULL << 15) - 1, 3, 0 },
	[5] = { (1ULL << 16) - 1, 3, 0 }, [6] = { (1ULL << 16) - 1, 3, 3 },
};
static const size_t landlock_lengths[] = { 0, 8, 8, 8, 16, 16, 24 };
static_assert(ARRAY_SIZE(landlock_abis) == ARRAY_SIZE(landlock_lengths), "a length for each ABI");

static int
allow_path(int ruleset_fd, const struct confine_path *path, uint64_t handled)
{
	struct __attribute__((packed)) {
		uint64_t allowed;
		int32_t parent_fd;
	} rule = { .parent_fd = path->fd };

	rule.allowed = access_rights[path->access][path->is_directory] & handled;
	if (rule.allowed == 0)
		return 0;
	/* 1 is LANDLOCK_RULE_PATH_BENEATH. EBADFD: a memfd, which Landlock denies to nobody. */
	if (syscall(SYS_landlock_add_rule, ruleset_fd, 1, &rule, 0U) < 0 && errno != EBADFD)
		return -errno;
	return 0;
}

int
confine_files(const struct confine_path *paths, size_t count)
{
	_cleanup_fd_ int ruleset_fd = -1;
	size_t abi;
	long r;

	/* 1 is LANDLOCK_CREATE_RULESET_VERSION. */
	r = syscall(SYS_landlock_create_ruleset, NULL, 0UL, 1U);
	if (r < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	abi = MIN((size_t)r, ARRAY_SIZE(landlock_abis) - 1);
	ruleset_fd = (int)syscall(SYS_landlock_create_ruleset, &landlock_abis[abi],
				  landlock_lengths[abi], 0U);
	if (ruleset_fd < 0)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		int added = allow_path(ruleset_fd, &paths[i], landlock_abis[abi].files);

		if (added < 0)
			return added;
	}
	return syscall(SYS_landlock_restrict_self, ruleset_fd, 0U) < 0 ? -errno : 0;
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define JUMP(kind, value, if_true, if_false)                                                       \
	BPF_JUMP(BPF_JMP | (kind) | BPF_K, (value), (if_true), (if_false))
#define NUMBER	     ((uint32_t)offsetof(struct seccomp_data, nr))
#define ARCHITECTURE ((uint32_t)offsetof(struct seccomp_data, arch))
#define ARGUMENT_LOW(n) ((uint32_t)offsetof(struct seccomp_data, args[n]))
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ARGUMENT_LOW is the first half");

/* The instructions of one call: its number, three checks of four at most, the end. */
#define CALL_INSTRUCTIONS_MAX (2 + 3 * 4 + 1)

struct program {
	struct sock_filter code[4 + CONFINE_CALLS_MAX * CALL_INSTRUCTIONS_MAX];
	size_t length;
};

static void
emit(struct program *program, struct sock_filter instruction)
{
	program->code[program->length++] = instruction;
}

/* A jump to behind the call's own instructions, set when their end is known. */
#define TO_NEXT_CALL UINT8_MAX

static void
emit_check(struct program *program, const struct confine_check *check)
{
	uint32_t low = ARGUMENT_LOW(check->argument);

	switch (check->kind) {
	case CONFINE_CHECK_NONE:
		return;
	case CONFINE_CHECK_EQUAL:
		emit(program, (struct sock_filter)LOAD(low));
		emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, check->mask));
		emit(program, (struct sock_filter)JUMP(BPF_JEQ, check->value, 0, TO_NEXT_CALL));
		return;
	case CONFINE_CHECK_AT_LEAST:
		emit(program, (struct sock_filter)LOAD(low));
		emit(program, (struct sock_filter)JUMP(BPF_JGE, check->value, 0, TO_NEXT_CALL));
		return;
	case CONFINE_CHECK_NULL:
		emit(program, (struct sock_filter)LOAD(low));
		emit(program, (struct sock_filter)JUMP(BPF_JEQ, 0, 0, TO_NEXT_CALL));
		emit(program, (struct sock_filter)LOAD(low + 4));
		emit(program, (struct sock_filter)JUMP(BPF_JEQ, 0, 0, TO_NEXT_CALL));
		return;
	}
}

static void
emit_call(struct program *program, const struct confine_call *call, uint32_t action)
{
	bool has_checks = call->checks[0].kind != CONFINE_CHECK_NONE;
	size_t start = program->length;

	emit(program, (struct sock_filter)JUMP(BPF_JEQ, (uint32_t)call->number, 0, TO_NEXT_CALL));
	for (size_t i = 0; i < ARRAY_SIZE(call->checks); i++)
		emit_check(program, &call->checks[i]);
	emit(program, (struct sock_filter)RETURN(action));
	for (size_t i = start; i < program->length; i++) {
		if (program->code[i].jf == TO_NEXT_CALL)
			program->code[i].jf = (uint8_t)(program->length - i - 1);
	}
	/* A check left its argument in the accumulator. */
	if (has_checks) {
		emit(program, (struct sock_filter)LOAD(NUMBER));
		program->code[start].jf = (uint8_t)(program->length - start - 1);
	}
}

static int
install(struct program *program)
{
	struct sock_fprog installed = { .len = (unsigned short)program->length,
					.filter = program->code };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			 &installed);

	/* A positive number is a thread that could not be brought along. */
	return r < 0 ? -errno : r > 0 ? -EBUSY : 0;
}

int
confine_calls(const struct confine_call *calls, size_t count, enum confine_refusal refusal)
{
	uint32_t refused = refusal == CONFINE_KILL ? SECCOMP_RET_KILL_PROCESS
						   : SECCOMP_RET_ERRNO | EPERM;
	struct program program;

	if (count > CONFINE_CALLS_MAX)
		return -E2BIG;
	program.length = 0;
	/* x32 calls have the same architecture, but numbers that no entry has. */
	emit(&program, (struct sock_filter)LOAD(ARCHITECTURE));
	emit(&program, (struct sock_filter)JUMP(BPF_JEQ, NATIVE_ARCH, 1, 0));
	emit(&program, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
	emit(&program, (struct sock_filter)LOAD(NUMBER));
	for (size_t i = 0; i < count; i++)
		emit_call(&program, &calls[i], SECCOMP_RET_ALLOW);
	emit(&program, (struct sock_filter)RETURN(refused));
	return install(&program);
}

int
confine_no_new_code(void)
{
	static const struct confine_call refused[] = {
		{ SYS_mmap, { CONFINE_MASKED(2, PROT_EXEC, PROT_EXEC) } },
		{ SYS_mprotect, { CONFINE_MASKED(2, PROT_EXEC, PROT_EXEC) } },
		{ SYS_pkey_mprotect, { CONFINE_ANY } },
		{ SYS_shmat, { CONFINE_ANY } },
		{ SYS_remap_file_pages, { CONFINE_ANY } },
	};
	struct program program;

	program.length = 0;
	emit(&program, (struct sock_filter)LOAD(NUMBER));
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		emit_call(&program, &refused[i], SECCOMP_RET_ERRNO | EPERM);
	emit(&program, (struct sock_filter)RETURN(SECCOMP_RET_ALLOW));
	return install(&program);
}
