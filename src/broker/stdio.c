/* What the command may have of descriptors 0, 1 and 2; see stdio.h. */
#include "broker/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#include "broker/pump.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define STDIO_COUNT 3
#define CONSOLE_PATH "/dev/console"
/* The first terminal of a new devpts: a name to stand at where a container has no /dev/console. */
#define FIRST_PTY_PATH "/dev/pts/0"
#define TTY_PATH "/dev/tty"
#define PTMX_DEVICE makedev(5, 2)

/* fcntl of Linux 6.10: whether two descriptors are one open file description. */
#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (1024 + 3)
#endif

struct stdio_pumps {
	struct pump *pumps[STDIO_COUNT];
	int offset_fd; /* where the sandbox sends its new stdin, to read the offset at the end; or -1 */
	off_t offset;  /* the caller's, at first */
};

/* What is known of one of the caller's descriptors. */
struct look {
	int number;
	int flags; /* as F_GETFL gives them */
	struct stat st;
	bool is_output;
	char *path; /* of /proc/self/fd: a path, or a word like "pipe:[1]"; NULL where there is none */
	struct plan_stdio *stdio; /* the answer */
};

struct device {
	unsigned major;
	unsigned minor;
	const char *path;
};

/* Linux's numbers of the devices that are nothing but data (admin-guide/devices.txt). */
static const struct device harmless_devices[] = {
	{ 1, 3, "/dev/null" },	 { 1, 5, "/dev/zero" },	   { 1, 7, "/dev/full" },
	{ 1, 8, "/dev/random" }, { 1, 9, "/dev/urandom" }, { 5, 0, TTY_PATH },
};

static char *
read_fd_path(int number)
{
	char link[32];
	char path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", number);
	n = readlink(link, path, sizeof(path));
	return n <= 0 || n == (ssize_t)sizeof(path) ? NULL : mem_strndup(path, (size_t)n);
}

static int
look_at(int number, struct plan *plan, struct look *ret_look, struct error *err)
{
	struct look look = { .number = number,
			     .flags = fcntl(number, F_GETFL),
			     .stdio = &plan->stdio[number] };
	int mode = look.flags & O_ACCMODE;

	if (look.flags < 0 || fstat(number, &look.st) < 0)
		return error_set_errno(err, -errno, "cannot look at descriptor %d", number);
	look.is_output = mode == O_WRONLY || (mode == O_RDWR && number != STDIN_FILENO);
	look.path = read_fd_path(number);
	*ret_look = look;
	return 0;
}

static int
refuse(const struct look *look, const char *what, struct error *err)
{
	return error_set(err, -EPERM,
			 "descriptor %d is %s (%s), which porta does not hand to a sandbox; redirect it, "
			 "for example to /dev/null",
			 look->number, what, look->path ? look->path : "no path");
}

static struct plan_inode
inode_of(const struct stat *st)
{
	return (struct plan_inode){ .device = st->st_dev,
				    .number = st->st_ino,
				    .type = st->st_mode & S_IFMT };
}

/*
 * Whether two numbers are one open file description. Where the kernel cannot tell, the same inode,
 * flags and offset count as one: at worst two streams into one file keep their order.
 */
static bool
is_same_description(int a, int b)
{
	struct stat st_a;
	struct stat st_b;
	int same = fcntl(a, F_DUPFD_QUERY, b);
	pid_t self = getpid();
	long order;

	if (same >= 0)
		return same == 1;
	order = syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
	if (order >= 0)
		return order == 0;
	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino && fcntl(a, F_GETFL) == fcntl(b, F_GETFL) &&
	       lseek(a, 0, SEEK_CUR) == lseek(b, 0, SEEK_CUR);
}

/* The last mount over a path is the one that the sandbox sees there; NULL: the host's, read-only. */
static const struct plan_mount *
mount_over(const struct plan *plan, const char *path)
{
	for (size_t i = plan->mounts_count; i-- > 0;) {
		if (path_is_beneath(path, plan->mounts[i].path))
			return &plan->mounts[i];
	}
	return NULL;
}

static bool
is_visible(const struct plan *plan, const char *path)
{
	const struct plan_mount *mount = mount_over(plan, path);

	return mount == NULL || mount->kind == PLAN_MOUNT_WRITABLE ||
	       mount->kind == PLAN_MOUNT_READ_ONLY || mount->kind == PLAN_MOUNT_PIN ||
	       mount->kind == PLAN_MOUNT_DEVICE;
}

static bool
is_writable(const struct plan *plan, const char *path)
{
	const struct plan_mount *mount = mount_over(plan, path);

	if (plan->tier == SANDBOX_TIER_NAMESPACES)
		return mount != NULL && (mount->kind == PLAN_MOUNT_WRITABLE ||
					 mount->kind == PLAN_MOUNT_PIN);
	for (size_t i = 0; i < plan->grants_count; i++) {
		if (plan->grants[i].write && path_is_beneath(path, plan->grants[i].path))
			return true;
	}
	return false;
}

/*
 * Whether the caller can open this very inode at `path`, as the sandbox will have to. Nothing waits: no
 * FIFO is opened for writing here, and O_NONBLOCK answers for the rest.
 */
static bool
can_open(const char *path, int flags, const struct plan_inode *inode)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (path == NULL || path[0] != '/')
		return false;
	fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == inode->device &&
	       st.st_ino == inode->number && (st.st_mode & S_IFMT) == inode->type;
}

static void
reopen(const struct look *look, const char *path, const struct plan_inode *inode, int flags)
{
	look->stdio->kind = PLAN_STDIO_REOPEN;
	look->stdio->path = mem_strdup(path);
	look->stdio->inode = *inode;
	look->stdio->open_flags = flags;
}

static int
make_pump(const struct look *look, struct stdio_pumps *pumps, struct error *err)
{
	look->stdio->kind = PLAN_STDIO_PUMP;
	look->stdio->path = look->path ? mem_strdup(look->path) : NULL;
	return pump_new(look->number, look->is_output, &pumps->pumps[look->number],
			&look->stdio->pump_inside_fd, err);
}

/* The command's new description must come out again, since its offset ends with the tree. */
static int
plan_offset(const struct look *look, struct stdio_pumps *pumps, struct error *err)
{
	int ends[2];

	if (look->number != STDIN_FILENO)
		return 0;
	pumps->offset = lseek(look->number, 0, SEEK_CUR);
	if (pumps->offset < 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_errno(err, -errno, "cannot make a socket for descriptor 0");
	pumps->offset_fd = ends[0];
	look->stdio->pump_inside_fd = ends[1];
	look->stdio->copy_offset = true;
	return 0;
}

static int
plan_file(const struct look *look, const struct plan *plan, struct stdio_pumps *pumps,
	  struct error *err)
{
	const struct plan_inode inode = inode_of(&look->st);
	int status = look->flags & (O_APPEND | O_NONBLOCK);

	if (look->path == NULL || look->path[0] != '/')
		return refuse(look, "no file of a directory", err);
	if (look->st.st_nlink == 0 && str_ends_with(look->path, " (deleted)"))
		return 0;
	if (!look->is_output) {
		if (!is_visible(plan, look->path) || !can_open(look->path, O_RDONLY, &inode))
			return make_pump(look, pumps, err);
		reopen(look, look->path, &inode, O_RDONLY | status);
		return plan_offset(look, pumps, err);
	}
	if (!(status & O_APPEND) || !is_writable(plan, look->path) ||
	    !can_open(look->path, (look->flags & O_ACCMODE) | O_APPEND, &inode))
		return make_pump(look, pumps, err);
	reopen(look, look->path, &inode, (look->flags & O_ACCMODE) | status);
	return 0;
}

static int
plan_directory(const struct look *look, const struct plan *plan, struct error *err)
{
	const struct plan_inode inode = inode_of(&look->st);

	if (look->path == NULL || !is_visible(plan, look->path) ||
	    !can_open(look->path, O_RDONLY | O_DIRECTORY, &inode))
		return refuse(look, "a directory that the sandbox does not see", err);
	reopen(look, look->path, &inode, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int
plan_fifo(const struct look *look, struct stdio_pumps *pumps, struct error *err)
{
	struct statfs fs;

	if (fstatfs(look->number, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
		return 0;
	return make_pump(look, pumps, err);
}

static int
plan_socket(const struct look *look, const struct policy *policy, struct error *err)
{
	int domain = -1;
	int type = -1;
	socklen_t length = sizeof(int);

	if (getsockopt(look->number, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
	    getsockopt(look->number, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		return refuse(look, "a socket of an unknown kind", err);
	if (domain == AF_UNIX)
		return type == SOCK_STREAM || type == SOCK_SEQPACKET
			   ? 0
			   : refuse(look, "a unix datagram socket", err);
	if ((domain == AF_INET || domain == AF_INET6) && type != SOCK_RAW)
		return policy->net_mode == NET_MODE_FULL
			   ? 0
			   : refuse(look, "an internet socket", err);
	return refuse(look, "a socket of another family", err);
}

/* Where the terminal can stand inside; NULL: nowhere. */
static const char *
console_path(const struct plan *plan)
{
	if (access(CONSOLE_PATH, F_OK) == 0 && is_visible(plan, CONSOLE_PATH))
		return CONSOLE_PATH;
	return plan_find_kind(plan, PLAN_MOUNT_DEVPTS) != NULL ? FIRST_PTY_PATH : NULL;
}

/* Whether the terminal can stand somewhere inside; adds that mount once. */
static bool
bind_console(const struct look *look, struct plan *plan, const struct plan_inode *inode)
{
	const struct plan_mount *other = plan_find_kind(plan, PLAN_MOUNT_CONSOLE);
	struct plan_mount *mount;
	const char *path;

	if (!can_open(look->path, look->flags & O_ACCMODE, inode))
		return false;
	if (plan->tier != SANDBOX_TIER_NAMESPACES) {
		struct plan_grant *grant = plan_add_grant(plan, look->path);

		grant->inode = *inode;
		grant->write = grant->read = true;
		return true;
	}
	if (other != NULL)
		return str_equal(other->source, look->path);
	path = console_path(plan);
	if (path == NULL)
		return false;
	mount = plan_add_mount(plan, PLAN_MOUNT_CONSOLE, path, "the terminal");
	mount->inode = *inode;
	mount->source = mem_strdup(look->path);
	plan_add_grant(plan, path)->write = true;
	return true;
}

static bool
plan_device_at(const struct look *look, const struct plan *plan, const char *path)
{
	struct plan_inode inode;
	struct stat st;
	int access_mode = look->flags & O_ACCMODE;

	if (stat(path, &st) < 0 || !is_visible(plan, path))
		return false;
	inode = inode_of(&st);
	if (!can_open(path, access_mode, &inode))
		return false;
	reopen(look, path, &inode, look->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK));
	return true;
}

/*
 * The controlling terminal of a user who may not open it by its name (after su) is still to be had as
 * /dev/tty. `terminal` is the one that the sandbox gets.
 */
static int
plan_terminal(const struct look *look, struct plan *plan, dev_t terminal,
	      struct stdio_pumps *pumps, struct error *err)
{
	const struct plan_inode inode = inode_of(&look->st);

	if (look->st.st_rdev != terminal)
		return make_pump(look, pumps, err);
	if (bind_console(look, plan, &inode)) {
		reopen(look, look->path, &inode, look->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK));
		look->stdio->kind = PLAN_STDIO_TTY;
		return 0;
	}
	if (tcgetsid(look->number) >= 0 && plan_device_at(look, plan, TTY_PATH))
		return 0;
	return make_pump(look, pumps, err);
}

static int
plan_device(const struct look *look, struct plan *plan, dev_t terminal, struct stdio_pumps *pumps,
	    struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless_devices); i++) {
		const struct device *device = &harmless_devices[i];

		if (look->st.st_rdev != makedev(device->major, device->minor))
			continue;
		if (plan_device_at(look, plan, device->path))
			return 0;
		return refuse(look, "a device that the sandbox does not see", err);
	}
	if (look->st.st_rdev != PTMX_DEVICE && isatty(look->number))
		return plan_terminal(look, plan, terminal, pumps, err);
	return refuse(look, "a device", err);
}

static int
plan_by_type(const struct look *look, const struct policy *policy, struct plan *plan,
	     dev_t terminal, struct stdio_pumps *pumps, struct error *err)
{
	if (look->flags & O_PATH)
		return refuse(look, "a handle without data, O_PATH", err);
	switch (look->st.st_mode & S_IFMT) {
	case S_IFREG:
		return plan_file(look, plan, pumps, err);
	case S_IFDIR:
		return plan_directory(look, plan, err);
	case S_IFIFO:
		return plan_fifo(look, pumps, err);
	case S_IFSOCK:
		return plan_socket(look, policy, err);
	case S_IFCHR:
		return plan_device(look, plan, terminal, pumps, err);
	default:
		/* Block devices, and eventfd, epoll, pidfd and the like, which have no type. */
		return refuse(look, "no stream of data", err);
	}
}

/* One description that is read on 0 and written on 1 is kept as one only where that is the same thing to porta. */
static int
find_shared(const struct look *looks, int number)
{
	for (int earlier = 0; earlier < number; earlier++) {
		enum plan_stdio_kind kind = looks[earlier].stdio->kind;
		bool has_direction = S_ISREG(looks[number].st.st_mode) || kind == PLAN_STDIO_PUMP;

		if (looks[earlier].stdio->shared_with >= 0 || kind == PLAN_STDIO_CLOSED)
			continue;
		if (has_direction && looks[earlier].is_output != looks[number].is_output)
			continue;
		if (is_same_description(earlier, number))
			return earlier;
	}
	return -1;
}

static bool
is_terminal(const struct look *look)
{
	return S_ISCHR(look->st.st_mode) && look->st.st_rdev != PTMX_DEVICE && isatty(look->number);
}

/* The controlling terminal where one of the three is it, else the first terminal among them; 0: none. */
static dev_t
choose_terminal(const struct look *looks, struct plan *plan)
{
	dev_t first = 0;

	for (int n = 0; n < STDIO_COUNT; n++) {
		if (!is_terminal(&looks[n]))
			continue;
		if (tcgetsid(n) >= 0) {
			plan->has_terminal = true;
			/* /dev/tty is another device with the same terminal behind it. */
			if (looks[n].st.st_rdev != makedev(5, 0))
				return looks[n].st.st_rdev;
		}
		if (first == 0)
			first = looks[n].st.st_rdev;
	}
	return first;
}

static bool
may_have_neighbour(const struct look *look)
{
	return S_ISFIFO(look->st.st_mode) || S_ISSOCK(look->st.st_mode);
}

/* Fills in what is known of each; a number that was closed is taken by /dev/null, so that no pipe of porta's lands on it. */
static int
look_at_all(struct plan *plan, struct look looks[STDIO_COUNT], struct error *err)
{
	for (int n = 0; n < STDIO_COUNT; n++) {
		bool was_closed = fcntl(n, F_GETFD) < 0;
		int r;

		if (was_closed && open("/dev/null", O_RDWR) != n)
			return error_set(err, -EBADF, "descriptor %d is closed, and so is /dev/null", n);
		r = look_at(n, plan, &looks[n], err);
		if (r < 0)
			return r;
		looks[n].stdio->kind = was_closed ? PLAN_STDIO_CLOSED : PLAN_STDIO_KEEP;
	}
	return 0;
}

static int
plan_all(const struct policy *policy, struct plan *plan, struct look looks[STDIO_COUNT],
	 struct stdio_pumps *pumps, struct error *err)
{
	dev_t terminal;

	int r = look_at_all(plan, looks, err);

	if (r < 0)
		return r;
	terminal = choose_terminal(looks, plan);
	for (int n = 0; n < STDIO_COUNT; n++) {
		struct plan_stdio *stdio = looks[n].stdio;

		if (stdio->kind == PLAN_STDIO_CLOSED)
			continue;
		stdio->shared_with = find_shared(looks, n);
		if (stdio->shared_with >= 0) {
			stdio->kind = looks[stdio->shared_with].stdio->kind;
			continue;
		}
		r = plan_by_type(&looks[n], policy, plan, terminal, pumps, err);
		if (r < 0)
			return r;
	}
	plan->in_foreground = is_terminal(&looks[0]) && tcgetpgrp(STDIN_FILENO) == getpgrp() &&
			      !may_have_neighbour(&looks[1]) && !may_have_neighbour(&looks[2]);
	return 0;
}

int
stdio_plan(const struct policy *policy, struct plan *plan, struct stdio_pumps **ret_pumps,
	   struct error *err)
{
	struct look looks[STDIO_COUNT] = { 0 };
	struct stdio_pumps *pumps = MEM_NEW(struct stdio_pumps);
	int r;

	pumps->offset_fd = -1;
	sigprocmask(SIG_BLOCK, NULL, &plan->signal_mask);
	r = plan_all(policy, plan, looks, pumps, err);
	for (int n = 0; n < STDIO_COUNT; n++)
		free(looks[n].path);
	if (r < 0) {
		stdio_free(pumps);
		return r;
	}
	*ret_pumps = pumps;
	return 0;
}

/* stderr stays for the footer. */
static void
let_go_of_kept(const struct plan *plan)
{
	for (int n = STDIN_FILENO; n <= STDOUT_FILENO; n++) {
		_cleanup_fd_ int null_fd = -1;

		if (plan->stdio[n].kind != PLAN_STDIO_KEEP)
			continue;
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null_fd >= 0)
			dup2(null_fd, n);
	}
}

void
stdio_start(struct stdio_pumps *pumps, struct plan *plan, struct loop *loop)
{
	sigset_t of_writing;

	sigemptyset(&of_writing);
	sigaddset(&of_writing, SIGPIPE);
	sigaddset(&of_writing, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &of_writing, NULL);
	let_go_of_kept(plan);
	for (int n = 0; n < STDIO_COUNT; n++) {
		fd_close(TAKE_FD(plan->stdio[n].pump_inside_fd));
		if (pumps->pumps[n] != NULL)
			pump_start(pumps->pumps[n], loop);
	}
}

static void
set_offset_back(struct stdio_pumps *pumps)
{
	_cleanup_fd_ int description_fd = -1;
	off_t offset;
	char byte;

	if (fd_receive(pumps->offset_fd, &byte, sizeof(byte), MSG_DONTWAIT, &description_fd) <= 0)
		return;
	offset = lseek(description_fd, 0, SEEK_CUR);
	if (offset >= 0 && offset != pumps->offset)
		lseek(STDIN_FILENO, offset, SEEK_SET);
}

int
stdio_finish(struct stdio_pumps *pumps, const struct plan *plan, const struct timespec *patience,
	     struct error *err)
{
	sigset_t mask = plan->signal_mask;
	int result = 0;

	sigaddset(&mask, SIGPIPE);
	sigaddset(&mask, SIGXFSZ);
	for (int n = 0; n < STDIO_COUNT; n++) {
		int r = pumps->pumps[n] ? pump_finish(pumps->pumps[n], patience, &mask) : 0;

		if (r < 0)
			result = error_set_errno(err, r, "output was lost: cannot write to descriptor %d", n);
	}
	if (pumps->offset_fd >= 0)
		set_offset_back(pumps);
	return result;
}

void
stdio_free(struct stdio_pumps *pumps)
{
	if (pumps == NULL)
		return;
	for (int n = 0; n < STDIO_COUNT; n++)
		pump_free(pumps->pumps[n]);
	fd_close(pumps->offset_fd);
	free(pumps);
}
