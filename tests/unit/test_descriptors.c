/* sandbox/linux/descriptors: what a plan makes of 0-2, without mounts; each case in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sandbox/linux/descriptors.h"
#include "util/fd.h"
#include "util/mem.h"

static char file_path[] = "/tmp/porta-test-descriptors-XXXXXX";

static void
make_plan(struct plan *plan)
{
	struct stat st;

	plan_init(plan);
	plan->tier = SANDBOX_TIER_LANDLOCK;
	if (stat(file_path, &st) == 0)
		plan->stdio[0] = (struct plan_stdio){
			.kind = PLAN_STDIO_REOPEN,
			.path = mem_strdup(file_path),
			.inode = { st.st_dev, st.st_ino, S_IFREG },
			.shared_with = -1,
			.pump_inside_fd = -1,
		};
}

static int
check_reopened(void)
{
	struct error err = ERROR_INIT;
	struct plan plan;
	char bytes[8] = "";
	int ends[2];
	int fd = -1;
	char byte;

	make_plan(&plan);
	dup2(open(file_path, O_RDWR), 0);
	lseek(0, 3, SEEK_SET);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
	plan.stdio[0].copy_offset = true;
	plan.stdio[0].pump_inside_fd = ends[1];
	if (descriptors_apply(&plan, ends[0], &err) < 0)
		return 1;
	/* At the caller's offset, only for reading, and with its description sent out. */
	if (read(0, bytes, 2) != 2 || memcmp(bytes, "de", 2) != 0 || write(0, "x", 1) >= 0)
		return 2;
	if (fcntl(ends[1], F_GETFD) >= 0)
		return 3;
	if (fd_receive(ends[0], &byte, 1, MSG_DONTWAIT, &fd) != 1 || lseek(fd, 0, SEEK_CUR) != 5)
		return 4;
	return 0;
}

static int
check_replaced(void)
{
	struct error err = ERROR_INIT;
	struct plan plan;

	make_plan(&plan);
	plan.stdio[0].inode.number++;
	return descriptors_apply(&plan, -1, &err) == -ESTALE && strstr(err.message, file_path) ? 0 : 1;
}

/* A FIFO or a symlink that was put there meanwhile is neither waited for nor followed. */
static int
check_swapped(void)
{
	struct error err = ERROR_INIT;
	struct plan plan;
	char path[64];

	make_plan(&plan);
	snprintf(path, sizeof(path), "%s-swapped", file_path);
	free(plan.stdio[0].path);
	plan.stdio[0].path = mem_strdup(path);
	alarm(5);
	if (mkfifo(path, 0600) < 0 || descriptors_apply(&plan, -1, &err) != -ESTALE)
		return 1;
	unlink(path);
	if (symlink(file_path, path) < 0 || descriptors_apply(&plan, -1, &err) != -ELOOP)
		return 2;
	unlink(path);
	return 0;
}

static int
check_pump_and_shared(void)
{
	struct error err = ERROR_INIT;
	struct stat out;
	struct stat both;
	struct plan plan;
	int ends[2];

	make_plan(&plan);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return 10;
	plan.stdio[1].kind = PLAN_STDIO_PUMP;
	plan.stdio[1].pump_inside_fd = ends[1];
	plan.stdio[2].kind = PLAN_STDIO_PUMP;
	plan.stdio[2].shared_with = 1;
	/* Numbers in the way, below and above the one that is kept. */
	dup2(ends[0], 20);
	dup2(ends[0], 900);
	if (descriptors_apply(&plan, 20, &err) < 0)
		return 1;
	if (fstat(1, &out) < 0 || fstat(2, &both) < 0 || !S_ISFIFO(out.st_mode) ||
	    out.st_ino != both.st_ino)
		return 2;
	if (fcntl(1, F_GETFD) != 0 || fcntl(20, F_GETFD) < 0)
		return 3;
	for (int fd = 3; fd < 1000; fd++) {
		if (fd != 20 && fcntl(fd, F_GETFD) >= 0)
			return 4;
	}
	return 0;
}

static int
check_group_and_mask(void)
{
	struct plan plan;
	sigset_t mask;

	make_plan(&plan);
	sigemptyset(&plan.signal_mask);
	sigaddset(&plan.signal_mask, SIGUSR2);
	if (terminal_take(&plan) < 0 || getpgrp() != getpid())
		return 1;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGUSR2) == 1 && sigismember(&mask, SIGTTOU) == 0 ? 0 : 2;
}

static int
check_init(void)
{
	struct plan plan;
	struct stat st;
	int ends[2];
	int control_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int root_fd = open("/", O_PATH | O_CLOEXEC);

	make_plan(&plan);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return 10;
	plan.stdio[1].kind = PLAN_STDIO_PUMP;
	plan.stdio[1].pump_inside_fd = ends[1];
	if (descriptors_drop_broker(&plan, control_fd, root_fd) < 0)
		return 1;
	if (fcntl(ends[0], F_GETFD) >= 0 || fcntl(ends[1], F_GETFD) < 0 ||
	    fcntl(control_fd, F_GETFD) < 0 || fcntl(root_fd, F_GETFD) < 0)
		return 2;
	descriptors_release(&plan);
	if (fcntl(ends[1], F_GETFD) >= 0 || fstat(0, &st) < 0 || !S_ISCHR(st.st_mode))
		return 3;
	return 0;
}

static int
in_child(int (*check)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check());
	waitpid(pid, &status, 0);
	return status;
}

#define IN_CHILD(check)                                \
	static void test_##check(void **state)         \
	{                                              \
		(void)state;                           \
		assert_int_equal(in_child(check), 0);  \
	}

IN_CHILD(check_reopened)
IN_CHILD(check_replaced)
IN_CHILD(check_swapped)
IN_CHILD(check_pump_and_shared)
IN_CHILD(check_group_and_mask)
IN_CHILD(check_init)

static int
set_up(void **state)
{
	int fd = mkstemp(file_path);

	(void)state;
	return fd < 0 || fd_write_all(fd, "abcdefgh", 8) < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(file_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_reopened),	    cmocka_unit_test(test_check_replaced),
		cmocka_unit_test(test_check_swapped),	    cmocka_unit_test(test_check_pump_and_shared),
		cmocka_unit_test(test_check_group_and_mask), cmocka_unit_test(test_check_init),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
