/* The stages between the mounts and the command's execution; see confine.h. */
#include "sandbox/linux/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sandbox/linux/planned_path.h"
#include "util/fd.h"
#include "util/os_linux.h"

/* landlock.h of older kernel headers lacks these; landlock(7), ABI 3 to 6. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#define ACCESS_NET_BIND_TCP    (1ULL << 0)
#define ACCESS_NET_CONNECT_TCP (1ULL << 1)
#define RULE_NET_PORT	       2
#define SCOPE_ABSTRACT_UNIX    (1ULL << 0)
#define SCOPE_SIGNAL	       (1ULL << 1)

/* struct landlock_ruleset_attr as of ABI 6; an older kernel takes a prefix of it. */
struct ruleset_attributes {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct net_port_attributes {
	uint64_t allowed_access;
	uint64_t port;
};

/* The rights that change something, by the ABI that brought them; for the Landlock tier. */
#define ACCESS_FS_CHANGES                                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                     \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                     \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                         \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                       \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |                       \
	 LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)
/* Not READ_DIR: a directory on the way to what may be read could not be listed. Execution needs READ_FILE too. */
#define ACCESS_FS_READS LANDLOCK_ACCESS_FS_READ_FILE
/* Rights that a rule on a file, not a directory, may carry (EINVAL otherwise). */
#define ACCESS_FS_OF_FILES                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                        \
	 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |                        \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)

/* File rights that each Landlock ABI knows, newest last. */
static const uint64_t abi_fs_rights[] = {
	[0] = 0,
	[1] = (1ULL << 13) - 1, /* EXECUTE ... MAKE_SYM */
	[2] = (1ULL << 14) - 1, /* REFER */
	[3] = (1ULL << 15) - 1, /* TRUNCATE */
	[4] = (1ULL << 15) - 1,
	[5] = (1ULL << 16) - 1, /* IOCTL_DEV */
};

static uint64_t
known_fs_rights(int abi)
{
	const int newest = (int)ARRAY_SIZE(abi_fs_rights) - 1;

	return abi_fs_rights[abi > newest ? newest : abi];
}

/*
 * With mounts below, Landlock is the second wall, and handles only what a read-only
 * mount does not stop (writing to a FIFO or a device) and what must be handled to
 * stay possible (REFER): every further right makes each open dearer.
 */
static uint64_t
handled_fs_rights(const struct plan *plan)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REFER;

	if (plan->tier != SANDBOX_TIER_NAMESPACES) {
		rights |= ACCESS_FS_CHANGES;
		for (size_t i = 0; i < plan->grants_count; i++) {
			if (plan->grants[i].read)
				rights |= ACCESS_FS_READS;
		}
	}
	if (plan->landlock_execute)
		rights |= LANDLOCK_ACCESS_FS_EXECUTE;
	return rights;
}

static uint64_t
handled_net_rights(const struct plan *plan, int abi)
{
	if (abi < 4 || !plan->landlock_net)
		return 0;
	if (plan->filter_network == PLAN_FILTER_LISTEN)
		return ACCESS_NET_BIND_TCP;
	/* Without a door nothing listens, so that a client may bind as it likes. */
	if (plan->tier == SANDBOX_TIER_PORTS)
		return ACCESS_NET_CONNECT_TCP;
	return ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
}

/* Without mounts a grant is the only wall: what was swapped in since planning gets none. */
static int
open_granted(const struct plan_grant *grant)
{
	int fd;

	if (grant->inode.number != 0)
		return planned_path_open(grant->path, O_PATH, &grant->inode);
	fd = open(grant->path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int
add_grant(int ruleset_fd, const struct plan_grant *grant, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = -1 };
	_cleanup_fd_ int fd = open_granted(grant);
	struct stat st;

	/* A neighbour of what is hidden, that a program outside has removed or replaced meanwhile. */
	if (fd < 0 && grant->read && !grant->write)
		return 0;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (grant->write)
		rule.allowed_access |= ACCESS_FS_CHANGES;
	if (grant->execute)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (grant->read)
		rule.allowed_access |= ACCESS_FS_READS;
	rule.allowed_access &= handled;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= ACCESS_FS_OF_FILES;
	if (rule.allowed_access == 0)
		return 0;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

static int
add_ports(int ruleset_fd, const struct plan_ports *ports)
{
	struct net_port_attributes rule = { .allowed_access = ACCESS_NET_CONNECT_TCP };

	for (uint32_t port = ports->first; port <= ports->last; port++) {
		rule.port = port;
		if (syscall(SYS_landlock_add_rule, ruleset_fd, RULE_NET_PORT, &rule, 0) < 0)
			return -errno;
	}
	return 0;
}

int
confine_make_ruleset(const struct plan *plan, int *ret_ruleset_fd, struct error *err)
{
	const int landlock_abi = plan->landlock_abi;
	struct ruleset_attributes attributes = {
		.handled_access_fs = handled_fs_rights(plan) & known_fs_rights(landlock_abi),
		.handled_access_net = handled_net_rights(plan, landlock_abi),
		.scoped = landlock_abi >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0,
	};
	size_t size = landlock_abi >= 6 ? sizeof(attributes)
		      : landlock_abi >= 4 ? offsetof(struct ruleset_attributes, scoped)
					  : offsetof(struct ruleset_attributes, handled_access_net);
	_cleanup_fd_ int fd = -1;

	if (landlock_abi < 1) {
		*ret_ruleset_fd = -1;
		return 0;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (fd < 0)
		return error_set_errno(err, -errno, "cannot make a Landlock ruleset");
	for (size_t i = 0; i < plan->grants_count; i++) {
		int r = add_grant(fd, &plan->grants[i], attributes.handled_access_fs);

		if (r < 0)
			return error_set_errno(err, r, "cannot allow writing below %s",
					       plan->grants[i].path);
	}
	for (size_t i = 0; attributes.handled_access_net != 0 && i < plan->ports_count; i++) {
		int r = add_ports(fd, &plan->ports[i]);

		if (r < 0)
			return error_set_errno(err, r, "cannot allow ports");
	}
	*ret_ruleset_fd = TAKE_FD(fd);
	return 0;
}

int
confine_landlock(int ruleset_fd, struct error *err)
{
	if (ruleset_fd >= 0 && syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0)
		return error_set_errno(err, -errno, "cannot enter the Landlock ruleset");
	return 0;
}

int
confine_signals(int landlock_abi)
{
	/* REFER is refused by every domain that does not grant it, whether it handles it or not. */
	const struct ruleset_attributes attributes = { .handled_access_fs = LANDLOCK_ACCESS_FS_REFER,
						       .scoped = SCOPE_SIGNAL };
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_REFER };
	_cleanup_fd_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = -1;

	if (landlock_abi < 6)
		return -EOPNOTSUPP;
	rule.parent_fd = root_fd;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (fd < 0 || root_fd < 0 ||
	    syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	return 0;
}

int
confine_limits(const struct plan *plan, struct error *err)
{
	static const int resources[] = {
		[LIMIT_CPU_SECONDS] = RLIMIT_CPU,      [LIMIT_FILE_BYTES] = RLIMIT_FSIZE,
		[LIMIT_OPEN_FILES] = RLIMIT_NOFILE,    [LIMIT_PROCESSES] = RLIMIT_NPROC,
		[LIMIT_ADDRESS_BYTES] = RLIMIT_AS,     [LIMIT_DATA_BYTES] = RLIMIT_DATA,
		[LIMIT_STACK_BYTES] = RLIMIT_STACK,    [LIMIT_CORE_BYTES] = RLIMIT_CORE,
		[LIMIT_MEMLOCK_BYTES] = RLIMIT_MEMLOCK,
	};

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		__rlimit_resource_t resource = (__rlimit_resource_t)resources[i];
		struct rlimit limit;

		if (!plan->limits.is_set[i])
			continue;
		if (getrlimit(resource, &limit) < 0)
			return error_set_errno(err, -errno, "--limit %s: cannot be read",
					       limit_name((enum limit_kind)i));
		limit.rlim_cur = MIN((rlim_t)plan->limits.value[i], limit.rlim_max);
		/* At the hard limit on CPU time the kernel kills; only a lower soft one is told by SIGXCPU. */
		limit.rlim_max = resource == RLIMIT_CPU ? MIN(limit.rlim_cur + 1, limit.rlim_max)
							: limit.rlim_cur;
		if (setrlimit(resource, &limit) < 0)
			return error_set_errno(err, -errno, "--limit %s: cannot be set",
					       limit_name((enum limit_kind)i));
	}
	return 0;
}

/*
 * What root keeps inside, where every id is mapped: enough for tar, chown and su in the
 * writable mounts, and to signal its own other users. Not FSETID and SETFCAP: with
 * them, set-id programs and file capabilities would come out of the sandbox.
 */
static const uint64_t root_capabilities =
    1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_SETGID |
    1ULL << CAP_SETUID | 1ULL << CAP_KILL;

/* Of those to keep, the ones that are there: a container's root has few. */
static int
set_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int
drop_bounding_set(uint64_t kept)
{
	for (unsigned long capability = 0; capability < 64; capability++) {
		if (kept & 1ULL << capability)
			continue;
		/* EINVAL: beyond the last capability that this kernel knows */
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -errno;
	}
	return 0;
}

int
confine_capabilities(const struct plan *plan, struct error *err)
{
	uint64_t kept = plan->as_root ? root_capabilities : 0;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, -errno, "cannot set no_new_privs");
	/* With no_new_privs it can give nothing to whom has no capability. */
	if (plan->tier == SANDBOX_TIER_NAMESPACES && kept != 0) {
		r = drop_bounding_set(kept);
		if (r < 0)
			return error_set_errno(err, r, "cannot drop the bounding set");
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_set_errno(err, -errno, "cannot drop ambient capabilities");
	r = set_capabilities(kept);
	if (r < 0)
		return error_set_errno(err, r, "cannot drop capabilities");
	return 0;
}

int
confine_broker(const struct plan *plan)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return set_capabilities(plan->tier == SANDBOX_TIER_NAMESPACES ? 0 : root_capabilities);
}
