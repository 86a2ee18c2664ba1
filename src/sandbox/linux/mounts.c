/*
 * The file system of the sandbox; see mounts.h.
 *
 * Order matters three times. What shall stay writable, and the devices, are
 * cloned before the whole tree becomes read-only, because a clone takes its
 * source's flags. The clones are attached by path, parents first, each looked up in
 * the tree as it stands by then. And a new /proc comes last, since the kernel lets a
 * user namespace mount one only while another, whole one can be seen.
 */
#include "sandbox/linux/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sandbox/control.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"
#include "util/os_linux.h"

/* No device but those bound on purpose, no set-id program; for every mount of the sandbox. */
#define SAFE_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* While it is bound, in the scratch tmpfs. */
#define TEXT_FILE_NAME "porta-file"

struct mounts_state {
	const struct plan *plan;
	int host_fd;	  /* the root as the namespace was made with, where sources are */
	int root_fd;	  /* the root that targets are looked up in: the same, or an EMPTY mount */
	bool has_empty;	  /* the plan has an EMPTY mount */
	int *clones;	  /* by index of the plan's mounts; -1: none */
	int mask_fd;	  /* an attached mask directory, to be cloned for the next; or -1 */
	int scratch_fd;	  /* the first tmpfs, where the text of FILE mounts is written; or -1 */
};

int
mounts_open_planned(int root_fd, const char *path, const struct plan_inode *inode)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT,
	};
	_cleanup_fd_ int fd = -1;
	struct stat st;

	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (inode->number == 0)
		return TAKE_FD(fd);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_ino != inode->number || st.st_dev != inode->device ||
	    (st.st_mode & S_IFMT) != inode->type)
		return -ESTALE;
	return TAKE_FD(fd);
}

static int
set_attributes(int fd, unsigned int flags, uint64_t set, uint64_t clear)
{
	struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };

	if (mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attributes, sizeof(attributes)) < 0)
		return -errno;
	return 0;
}

static int
attach(int mount_fd, int target_fd)
{
	if (move_mount(mount_fd, "", target_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* A detached mount of a new file system; `options` are pairs of key and value, NULL at the end. */
static int
new_filesystem(const char *type, const char *const *options, unsigned int attributes)
{
	_cleanup_fd_ int context_fd = fsopen(type, FSOPEN_CLOEXEC);
	int mount_fd;

	if (context_fd < 0)
		return -errno;
	for (; options != NULL && *options != NULL; options += 2) {
		if (fsconfig(context_fd, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
			return -errno;
	}
	if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount_fd = fsmount(context_fd, FSMOUNT_CLOEXEC, attributes);
	return mount_fd < 0 ? -errno : mount_fd;
}

/* Sources of the host's. What is bound inside the new /proc is cloned when that stands. */
static bool
is_cloned_early(const struct plan_mount *mount)
{
	enum plan_mount_kind kind = mount->kind;

	if (path_is_beneath(mount->path, "/proc"))
		return false;
	return kind == PLAN_MOUNT_WRITABLE || kind == PLAN_MOUNT_READ_ONLY ||
	       kind == PLAN_MOUNT_PIN || kind == PLAN_MOUNT_DEVICE || kind == PLAN_MOUNT_CONSOLE;
}

/* Clones one mount's source out of the tree as the host has it, with the flags it shall have. */
static int
clone_source(int host_fd, const struct plan_mount *mount)
{
	const char *source = mount->source ? mount->source : mount->path;
	bool is_device = mount->kind == PLAN_MOUNT_DEVICE || mount->kind == PLAN_MOUNT_CONSOLE;
	unsigned int recursive = is_device ? 0 : AT_RECURSIVE;
	uint64_t set = is_device ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC
				 : SAFE_ATTRIBUTES;
	_cleanup_fd_ int source_fd = -1;
	_cleanup_fd_ int clone_fd = -1;
	int r;

	source_fd = mounts_open_planned(host_fd, source, &mount->inode);
	if (source_fd < 0)
		return source_fd;
	clone_fd = open_tree(source_fd, "",
			     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	if (clone_fd < 0)
		return -errno;
	if (mount->kind == PLAN_MOUNT_READ_ONLY)
		set |= MOUNT_ATTR_RDONLY;
	r = set_attributes(clone_fd, recursive, set, 0);
	if (r < 0)
		return r;
	return TAKE_FD(clone_fd);
}

/* -ESTALE where a program outside changed what the plan was made from. */
static int
fail(const struct plan *plan, size_t index, const char *what, int code, struct error *err)
{
	const struct plan_mount *mount = &plan->mounts[index];

	if (code == -ESTALE || code == -ENOENT || code == -ENOTDIR || code == -ELOOP)
		return error_set(err, -ESTALE, "%s changes while porta is starting; run it again",
				 mount->path);
	return error_set_errno(err, code, "cannot %s %s (%s)", what, mount->path,
			       plan_mount_kind_name(mount->kind));
}

static int
clone_sources(struct mounts_state *state, struct error *err)
{
	const struct plan *plan = state->plan;

	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (!is_cloned_early(&plan->mounts[i]))
			continue;
		state->clones[i] = clone_source(state->host_fd, &plan->mounts[i]);
		if (state->clones[i] < 0)
			return fail(plan, i, "take hold of", state->clones[i], err);
	}
	return 0;
}

/* Every mount of the namespace: private, read-only, no devices, no set-id. */
static int
close_tree(struct error *err)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | SAFE_ATTRIBUTES,
		.propagation = MS_PRIVATE,
	};

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
		return error_set_errno(err, -errno, "cannot make the file system read-only");
	return 0;
}

/* Whether the nearest mount above this one is EMPTY: nothing is there to mount on yet. */
static bool
is_below_empty(const struct plan *plan, size_t index)
{
	const char *path = plan->mounts[index].path;

	for (size_t i = index; i-- > 0;) {
		if (!str_equal(plan->mounts[i].path, path) &&
		    path_is_beneath(path, plan->mounts[i].path))
			return plan->mounts[i].kind == PLAN_MOUNT_EMPTY;
	}
	return false;
}

static int
make_parents(int root_fd, const char *path)
{
	_cleanup_free_ char *copy = mem_strdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(root_fd, copy + 1, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int
make_mount_point(int root_fd, const struct plan_mount *mount)
{
	bool is_file = mount->kind == PLAN_MOUNT_DEVICE || mount->kind == PLAN_MOUNT_FILE ||
		       mount->kind == PLAN_MOUNT_CONSOLE || mount->inode.type == S_IFREG;
	int fd;
	int r;

	r = make_parents(root_fd, mount->path);
	if (r < 0)
		return r;
	if (!is_file) {
		r = mkdirat(root_fd, mount->path + 1, 0755);
		return r < 0 && errno != EEXIST ? -errno : 0;
	}
	fd = openat(root_fd, mount->path + 1, O_CREAT | O_EXCL | O_CLOEXEC | O_RDONLY, 0444);
	if (fd < 0 && errno != EEXIST)
		return -errno;
	fd_close(fd);
	return 0;
}

/*
 * The handle of the place where a mount goes. Where the same path is the source, its inode is
 * compared once more: another sandbox in the same workspace may be moving things about.
 */
static int
open_target(const struct mounts_state *state, size_t index)
{
	static const struct plan_inode any = { 0 };
	const struct plan_mount *mount = &state->plan->mounts[index];
	bool is_anew = state->has_empty && is_below_empty(state->plan, index);

	if (is_anew) {
		int r = make_mount_point(state->root_fd, mount);

		if (r < 0)
			return r;
	}
	return mounts_open_planned(state->root_fd, mount->path,
				   is_anew || mount->source ? &any : &mount->inode);
}

/*
 * A directory that nobody can list and a file that nobody can open: an empty tmpfs
 * of mode 0, and the null device on a mount that forbids devices (EACCES also for root).
 */
static int
new_mask(struct mounts_state *state, const struct plan_mount *mount)
{
	static const char *const options[] = { "mode", "0", "size", "4k", "nr_inodes", "1", NULL };
	int fd;
	int r;

	if (mount->inode.type == S_IFDIR) {
		if (state->mask_fd < 0)
			return new_filesystem("tmpfs", options,
					      SAFE_ATTRIBUTES | MOUNT_ATTR_RDONLY |
						  MOUNT_ATTR_NOEXEC);
		fd = open_tree(state->mask_fd, "",
			       AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	fd = open_tree(state->host_fd, "dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = set_attributes(fd, 0, SAFE_ATTRIBUTES | MOUNT_ATTR_RDONLY, 0);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}

/* A file with the given text: written into the scratch tmpfs and bound from there. */
static int
new_text_file(const struct mounts_state *state, const struct plan_mount *mount)
{
	_cleanup_fd_ int file_fd = -1;
	_cleanup_fd_ int clone_fd = -1;
	int r;

	file_fd = openat(state->scratch_fd, TEXT_FILE_NAME, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
	if (file_fd < 0)
		return -errno;
	r = fd_write_all(file_fd, mount->text, strlen(mount->text));
	if (r < 0)
		return r;
	clone_fd = open_tree(state->scratch_fd, TEXT_FILE_NAME,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone_fd < 0)
		return -errno;
	r = set_attributes(clone_fd, 0, SAFE_ATTRIBUTES | MOUNT_ATTR_RDONLY, 0);
	if (r < 0)
		return r;
	return TAKE_FD(clone_fd);
}

static int
new_mount(struct mounts_state *state, size_t index)
{
	static const char *const shm[] = { "mode", "1777", NULL };
	static const char *const empty[] = { "mode", "0755", "size", "1m", NULL };
	static const char *const devpts[] = { "ptmxmode", "0666", "mode", "0620", NULL };
	const struct plan_mount *mount = &state->plan->mounts[index];

	switch (mount->kind) {
	case PLAN_MOUNT_WRITABLE:
	case PLAN_MOUNT_READ_ONLY:
	case PLAN_MOUNT_PIN:
	case PLAN_MOUNT_DEVICE:
	case PLAN_MOUNT_CONSOLE:
		if (state->clones[index] < 0)
			return clone_source(state->root_fd, mount);
		return TAKE_FD(state->clones[index]);
	case PLAN_MOUNT_MASK:
		return new_mask(state, mount);
	case PLAN_MOUNT_TMPFS:
		return new_filesystem("tmpfs", shm, SAFE_ATTRIBUTES);
	case PLAN_MOUNT_EMPTY:
		return new_filesystem("tmpfs", empty, SAFE_ATTRIBUTES | MOUNT_ATTR_NOEXEC);
	case PLAN_MOUNT_FILE:
		return new_text_file(state, mount);
	case PLAN_MOUNT_PROC:
		return new_filesystem("proc", NULL, SAFE_ATTRIBUTES | MOUNT_ATTR_NOEXEC);
	case PLAN_MOUNT_DEVPTS:
		return new_filesystem("devpts", devpts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	case PLAN_MOUNT_MQUEUE:
		return new_filesystem("mqueue", NULL, SAFE_ATTRIBUTES | MOUNT_ATTR_NOEXEC);
	case PLAN_MOUNT_SYMLINK:
	case PLAN_MOUNT_KIND_COUNT:
		break;
	}
	return -EINVAL;
}

/* /dev/ptmx must be the new devpts's own: the host's node opens whatever lies at pts/ beside it. */
static int
bind_ptmx(const struct mounts_state *state)
{
	_cleanup_fd_ int clone_fd = -1;
	_cleanup_fd_ int target_fd = -1;
	static const struct plan_inode any = { 0 };

	target_fd = mounts_open_planned(state->root_fd, "/dev/ptmx", &any);
	if (target_fd == -ELOOP)
		return 0; /* a symlink to pts/ptmx serves as it is */
	if (target_fd < 0)
		return target_fd;
	clone_fd = open_tree(state->root_fd, "dev/pts/ptmx", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone_fd < 0)
		return -errno;
	return attach(clone_fd, target_fd);
}

/* The new root is built beside the old one, on /tmp, and takes its place at the end. */
static int
begin_new_root(struct mounts_state *state, size_t index)
{
	_cleanup_fd_ int target_fd = -1;
	_cleanup_fd_ int mount_fd = -1;
	int r;

	target_fd = openat(state->host_fd, "tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target_fd < 0)
		return -errno;
	mount_fd = new_mount(state, index);
	if (mount_fd < 0)
		return mount_fd;
	r = attach(mount_fd, target_fd);
	if (r < 0)
		return r;
	state->root_fd = TAKE_FD(mount_fd);
	return 0;
}

static int
end_new_root(const struct mounts_state *state)
{
	if (state->root_fd == state->host_fd)
		return 0;
	if (fchdir(state->root_fd) < 0)
		return -errno;
	/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

static int
make_symlink(const struct mounts_state *state, const struct plan_mount *mount)
{
	int r = make_parents(state->root_fd, mount->path);

	if (r < 0)
		return r;
	return symlinkat(mount->text, state->root_fd, mount->path + 1) < 0 ? -errno : 0;
}

/*
 * The first terminal of the new devpts, where the caller's is to stand. Its name lasts as long as
 * the other side is open: until init ends, which alone has it.
 */
static int
make_first_pty(const struct mounts_state *state)
{
	return openat(state->root_fd, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) < 0 ? -errno : 0;
}

static int
apply_mount(struct mounts_state *state, size_t index)
{
	const struct plan_mount *mount = &state->plan->mounts[index];
	_cleanup_fd_ int target_fd = -1;
	_cleanup_fd_ int mount_fd = -1;
	int r;

	if (mount->kind == PLAN_MOUNT_SYMLINK)
		return make_symlink(state, mount);
	if (mount->kind == PLAN_MOUNT_EMPTY && str_equal(mount->path, "/"))
		return begin_new_root(state, index);
	if (mount->kind == PLAN_MOUNT_CONSOLE && path_is_beneath(mount->path, "/dev/pts") &&
	    (r = make_first_pty(state)) < 0)
		return r;
	target_fd = open_target(state, index);
	if (target_fd < 0)
		return target_fd;
	mount_fd = new_mount(state, index);
	if (mount_fd < 0)
		return mount_fd;
	r = attach(mount_fd, target_fd);
	if (r < 0)
		return r;
	if (mount->kind == PLAN_MOUNT_DEVPTS)
		return bind_ptmx(state);
	/* Not before: what has no name any more cannot be attached. */
	if (mount->kind == PLAN_MOUNT_FILE)
		return unlinkat(state->scratch_fd, TEXT_FILE_NAME, 0) < 0 ? -errno : 0;
	/* Kept where later steps clone from it or write into it. */
	if (mount->kind == PLAN_MOUNT_MASK && mount->inode.type == S_IFDIR && state->mask_fd < 0)
		state->mask_fd = TAKE_FD(mount_fd);
	if (mount->kind == PLAN_MOUNT_TMPFS && state->scratch_fd < 0)
		state->scratch_fd = TAKE_FD(mount_fd);
	return 0;
}

/* EMPTY mounts were writable while places to mount on were made in them. */
static int
close_empty_mounts(const struct mounts_state *state)
{
	static const struct plan_inode any = { 0 };

	for (size_t i = 0; i < state->plan->mounts_count; i++) {
		const struct plan_mount *mount = &state->plan->mounts[i];
		_cleanup_fd_ int fd = -1;
		int r;

		if (mount->kind != PLAN_MOUNT_EMPTY)
			continue;
		fd = mounts_open_planned(state->root_fd, mount->path, &any);
		if (fd < 0)
			return fd;
		r = set_attributes(fd, 0, MOUNT_ATTR_RDONLY, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
wait_go(int control_fd, struct error *err)
{
	int r = control_wait_go(control_fd);

	return r < 0 ? error_set_errno(err, r, "the broker has gone") : 0;
}

static int
apply_all(struct mounts_state *state, int control_fd, struct error *err)
{
	const struct plan *plan = state->plan;
	int r;

	/*
	 * Without the id maps, root has no rights over other users' directories, and nothing can be
	 * made in a tmpfs. For an ordinary user the wait is over by the time it begins.
	 */
	if (plan->as_root && (r = wait_go(control_fd, err)) < 0)
		return r;
	r = clone_sources(state, err);
	if (r < 0)
		return r;
	r = close_tree(err);
	if (r < 0)
		return r;
	if (!plan->as_root && (r = wait_go(control_fd, err)) < 0)
		return r;
	for (size_t i = 0; i < plan->mounts_count; i++) {
		r = apply_mount(state, i);
		if (r < 0)
			return fail(plan, i, "mount", r, err);
	}
	r = close_empty_mounts(state);
	if (r < 0)
		return error_set_errno(err, r, "cannot make the hidden directories read-only");
	r = end_new_root(state);
	if (r < 0)
		return error_set_errno(err, r, "cannot change to the new root directory");
	return 0;
}

int
mounts_apply(const struct plan *plan, int control_fd, struct error *err)
{
	_cleanup_free_ int *clones = mem_zalloc(plan->mounts_count, sizeof(*clones));
	struct mounts_state state = {
		.plan = plan, .clones = clones, .mask_fd = -1, .scratch_fd = -1
	};
	int r;

	state.host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (state.host_fd < 0)
		return error_set_errno(err, -errno, "cannot open the root directory");
	state.root_fd = state.host_fd;
	for (size_t i = 0; i < plan->mounts_count; i++) {
		clones[i] = -1;
		state.has_empty |= plan->mounts[i].kind == PLAN_MOUNT_EMPTY;
	}
	r = apply_all(&state, control_fd, err);
	for (size_t i = 0; i < plan->mounts_count; i++)
		fd_close(clones[i]);
	fd_close(state.mask_fd);
	fd_close(state.scratch_fd);
	if (state.root_fd != state.host_fd)
		fd_close(state.root_fd);
	fd_close(state.host_fd);
	return r;
}
