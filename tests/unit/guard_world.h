/*
 * Runs the guard for real: makes namespaces, applies a plan's mounts and has the guard in their
 * pid 1, as init does, while processes inside attack it and another acts outside.
 */
#ifndef TESTS_UNIT_GUARD_WORLD_H
#define TESTS_UNIT_GUARD_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/control.h"
#include "sandbox/linux/confine.h"
#include "sandbox/linux/guard.h"
#include "sandbox/linux/mounts.h"
#include "sandbox/protect.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define ORDINARY_UID 12345
#define PATIENCE_MS  3000

/*
 * What happens in one test; both run in the workspace, with the pipes of `struct world` to wait for
 * each other.
 */
typedef void act_fn(void);

struct scenario {
	act_fn *inside;
	act_fn *outside; /* or NULL */
	int processes;	 /* that run `inside`; 0 is one */
	bool deaf;	 /* the broker hears nothing: it is dead */
};

/* One test's place: all that crosses between its processes is files, and two pipes. */
static struct {
	char *root;
	char *ws;
	char *data; /* XDG_DATA_HOME */
	char *events;
	int to_outside[2];
	int to_inside[2];
} world;

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
say(const int *pipe_fds)
{
	if (write(pipe_fds[1], "x", 1) != 1)
		_exit(90);
}

static void
hear(const int *pipe_fds)
{
	char word;

	if (read(pipe_fds[0], &word, 1) != 1)
		_exit(91);
}

static int
put(const char *name, const char *text, int flags)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	close(fd);
	return r;
}

static bool
has_name(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

/* Whether the name is mounted read-only: even what its owner may do fails so. */
static bool
is_read_only(const char *name)
{
	return utimensat(AT_FDCWD, name, NULL, 0) < 0 && errno == EROFS;
}

static bool
wait_until_read_only(const char *name)
{
	for (uint64_t end = now_ms() + PATIENCE_MS; now_ms() < end; usleep(500)) {
		if (is_read_only(name))
			return true;
	}
	return false;
}

/* Until a placeholder is at the name, and mounted. */
static bool
wait_for_placeholder(const char *name)
{
	for (uint64_t end = now_ms() + PATIENCE_MS; now_ms() < end; usleep(500)) {
		struct stat st;

		if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0500 &&
		    is_read_only(name))
			return true;
	}
	return false;
}

/* The processes. */

static int
write_map(pid_t pid, const char *name, const char *text)
{
	_cleanup_free_ char *path = mem_printf("/proc/%d/%s", pid, name);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static void
map_ids(pid_t pid)
{
	_cleanup_free_ char *uid = mem_printf("%d %d 1", geteuid(), geteuid());
	_cleanup_free_ char *gid = mem_printf("%d %d 1", getegid(), getegid());
	bool as_root = geteuid() == 0;

	if (!as_root)
		write_map(pid, "setgroups", "deny");
	if (write_map(pid, "uid_map", as_root ? "0 0 4294967295" : uid) < 0 ||
	    write_map(pid, "gid_map", as_root ? "0 0 4294967295" : gid) < 0)
		_exit(92);
}

static void
start_inside(const struct plan *plan, const struct scenario *scenario)
{
	struct error err = ERROR_INIT;

	for (int i = 0; i < MAX(scenario->processes, 1); i++) {
		if (fork() != 0)
			continue;
		if (confine_capabilities(plan, &err) < 0 || chdir(world.ws) < 0)
			_exit(93);
		scenario->inside();
		_exit(0);
	}
}

/* As init's loop; ends when every process inside has. */
static bool
loop(struct guard *guard, int signal_fd)
{
	bool is_good = true;

	for (;;) {
		struct pollfd fd = { .fd = signal_fd, .events = POLLIN };
		struct signalfd_siginfo info;
		int status;
		pid_t pid;

		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			is_good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
		if (pid < 0)
			return is_good;
		if (poll(&fd, 1, -1) < 0 ||
		    read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
			return false;
		if (info.ssi_signo == (uint32_t)GUARD_SIGNAL)
			guard_look(guard, info.ssi_fd);
		else if (info.ssi_signo == SIGIO)
			guard_look(guard, -1);
	}
}

static _noreturn_ void
init_main(const struct plan *plan, const struct scenario *scenario, int control_fd,
	  int host_root_fd)
{
	struct error err = ERROR_INIT;
	struct guard *guard;
	bool is_good;
	sigset_t all;
	int signal_fd;

	signal(SIGPIPE, SIG_IGN);
	if (mounts_apply(plan, control_fd, &err) < 0) {
		fprintf(stderr, "mounts: %s\n", err.message);
		_exit(94);
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal_fd = signalfd(-1, &all, SFD_CLOEXEC);
	if (guard_start(plan, host_root_fd, control_fd, &guard, &err) < 0) {
		fprintf(stderr, "guard: %s\n", err.message);
		_exit(95);
	}
	start_inside(plan, scenario);
	is_good = loop(guard, signal_fd);
	guard_end(guard);
	_exit(is_good ? 0 : 96);
}

/* The broker's side: what is told goes to a file, "CODE TEXT" with spaces for newlines. */
static void
record_events(int control_fd)
{
	_cleanup_fd_ int out = open(world.events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	for (;;) {
		struct pollfd fd = { .fd = control_fd, .events = POLLIN };
		struct control_event event;
		_cleanup_free_ char *line = NULL;
		int passed_fd;

		if (poll(&fd, 1, -1) < 0 ||
		    control_receive_event(control_fd, &event, &passed_fd) <= 0)
			return;
		if (event.kind != CONTROL_EVENT_GUARD)
			continue;
		for (char *c = event.text; *c != '\0'; c++)
			*c = *c == '\n' ? ' ' : *c;
		line = mem_printf("%d %s\n", event.code, event.text);
		if (fd_write_all(out, line, strlen(line)) < 0)
			return;
	}
}

static _noreturn_ void
outer_main(uid_t uid, const struct scenario *scenario)
{
	int host_root_fd;
	int control[2];
	struct plan plan;
	struct policy policy;
	struct strv explicit_paths = STRV_INIT;
	struct strv mount_paths = STRV_INIT;
	struct error err = ERROR_INIT;
	struct stat st;
	int status;
	pid_t pid;

	if (uid != geteuid() && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
				 setresuid(uid, uid, uid) < 0))
		_exit(97);
	/* Changing the id made /proc/self root's; the id maps are written there. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	setenv("HOME", world.ws, 1);
	setenv("XDG_DATA_HOME", world.data, 1);
	policy_init(&policy);
	plan_init(&plan);
	plan.as_root = uid == 0;
	plan.quarantine_path = path_join(world.data, "porta/quarantine");
	if (stat(world.ws, &st) < 0 || chdir(world.ws) < 0)
		_exit(98);
	plan_add_mount(&plan, PLAN_MOUNT_WRITABLE, world.ws, "-v")->inode =
	    (struct plan_inode){ st.st_dev, st.st_ino, st.st_mode & S_IFMT };
	strv_add(&explicit_paths, world.ws);
	strv_add(&mount_paths, world.ws);
	if (protect_plan_mounts(&plan, &policy, &mount_paths, &explicit_paths, &err) < 0)
		_exit(99);
	host_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (control_pair(&control[0], &control[1]) < 0)
		_exit(100);
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL,
			     NULL, NULL, NULL);
	if (pid == 0) {
		close(control[0]);
		init_main(&plan, scenario, control[1], host_root_fd);
	}
	if (pid < 0)
		_exit(77);
	close(control[1]);
	map_ids(pid);
	control_send_go(control[0]);
	if (scenario->outside != NULL)
		scenario->outside();
	if (scenario->deaf)
		close(control[0]);
	else
		record_events(control[0]);
	_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 101);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
set_up_world(uid_t owner)
{
	char template[] = "/tmp/porta-guard-XXXXXX";

	assert_non_null(mkdtemp(template));
	world.root = mem_strdup(template);
	world.ws = path_join(world.root, "ws");
	world.data = path_join(world.root, "data");
	world.events = path_join(world.root, "events");
	assert_int_equal(mkdir(world.ws, 0755), 0);
	assert_int_equal(pipe2(world.to_outside, O_CLOEXEC), 0);
	assert_int_equal(pipe2(world.to_inside, O_CLOEXEC), 0);
	assert_int_equal(chdir(world.ws), 0);
	assert_int_equal(chown(world.root, owner, owner), 0);
	assert_int_equal(chown(world.ws, owner, owner), 0);
}

static void
own_everything(uid_t owner)
{
	_cleanup_free_ char *command = mem_printf("chown -R %d:%d '%s'", owner, owner, world.root);

	assert_int_equal(system(command), 0);
}

static void
tear_down_world(void)
{
	assert_int_equal(chdir("/"), 0);
	nftw(world.root, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	for (int i = 0; i < 2; i++) {
		close(world.to_outside[i]);
		close(world.to_inside[i]);
	}
	free(world.root);
	free(world.ws);
	free(world.data);
	free(world.events);
}

static char *
read_text(const char *path)
{
	char *text;

	return fd_read_file_at(AT_FDCWD, path, 1 << 20, &text, NULL) < 0 ? mem_strdup("") : text;
}

static bool
was_told(enum guard_event event, const char *part)
{
	_cleanup_free_ char *text = read_text(world.events);
	_cleanup_free_ char *code = mem_printf("%d ", (int)event);
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (str_starts_with(line, code) && strstr(line, part) != NULL)
			return true;
	}
	return false;
}

/*
 * Runs `prepare` in the workspace, the scenario, and then `check`, as root and as an ordinary user.
 */
static void
run(act_fn *prepare, const struct scenario *scenario, act_fn *check)
{
	static const struct {
		uid_t runs;
		uid_t owns;
	} users[] = { { 0, 0 }, { ORDINARY_UID, ORDINARY_UID }, { 0, ORDINARY_UID } };

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		int status;
		pid_t pid;

		if (geteuid() != 0 && i > 0)
			break;
		set_up_world(geteuid() == 0 ? users[i].owns : geteuid());
		if (prepare != NULL)
			prepare();
		if (geteuid() == 0)
			own_everything(users[i].owns);
		pid = fork();
		if (pid == 0)
			outer_main(geteuid() == 0 ? users[i].runs : geteuid(), scenario);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77) {
			tear_down_world();
			skip(); /* no user namespaces here */
		}
		if (WEXITSTATUS(status) != 0)
			fail_msg("user %d: exit %d", users[i].runs, WEXITSTATUS(status));
		check();
		tear_down_world();
	}
}

/* The one entry of quarantine whose name ends so, as a path; "" if there is none. */
static char *found_path;

static int
find_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (ftw->level == 4 && str_ends_with(path, found_path)) {
		found_path = mem_strdup(path);
		return 1;
	}
	return 0;
}

static char *
find_kept(const char *suffix)
{
	found_path = (char *)(uintptr_t)suffix;
	return nftw(world.data, find_one, 8, FTW_PHYS) == 1 ? found_path : mem_strdup("");
}

#endif
