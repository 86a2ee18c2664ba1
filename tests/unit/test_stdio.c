/* broker/stdio: what becomes of each kind of descriptor. Each case runs in a child, whose 0-2 are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "broker/stdio.h"
#include "util/fd.h"

#define REFUSED (-1)
#define WORK "/tmp/porta-test-stdio"

/* A case: puts what it wants on `number`, and says what must become of it. */
struct stdio_case {
	const char *name;
	int number;
	int (*open)(void);
	int expected; /* enum plan_stdio_kind, or REFUSED */
	enum net_mode net_mode;
};

static int
open_file(const char *path, int flags)
{
	return open(path, flags | O_CREAT | O_CLOEXEC, 0600);
}

static int
file_read(void)
{
	return open_file(WORK "/file", O_RDONLY);
}

static int
file_masked(void)
{
	return open_file(WORK "/masked", O_RDONLY);
}

static int
file_unlinked(void)
{
	int fd = open_file(WORK "/unlinked", O_RDWR);

	unlink(WORK "/unlinked");
	return fd;
}

static int
file_written(void)
{
	return open_file(WORK "/writable/log", O_WRONLY);
}

static int
file_appended(void)
{
	return open_file(WORK "/writable/log", O_WRONLY | O_APPEND);
}

static int
file_appended_outside(void)
{
	return open_file(WORK "/log", O_WRONLY | O_APPEND);
}

static int
file_appended_protected(void)
{
	return open_file(WORK "/writable/protected", O_WRONLY | O_APPEND);
}

static int
named_fifo(void)
{
	mkfifo(WORK "/fifo", 0600);
	return open(WORK "/fifo", O_RDWR | O_CLOEXEC);
}

static int
pipe_end(void)
{
	int ends[2];

	return pipe2(ends, O_CLOEXEC) < 0 ? -1 : ends[0];
}

static int
pair_of(int type)
{
	int ends[2];

	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0 ? -1 : ends[0];
}

static int
unix_stream(void)
{
	return pair_of(SOCK_STREAM);
}

static int
unix_datagram(void)
{
	return pair_of(SOCK_DGRAM);
}

static int
internet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
event(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

static int
handle(void)
{
	return open("/", O_PATH | O_CLOEXEC);
}

static int
name_space(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int
memory(void)
{
	return memfd_create("test", MFD_CLOEXEC);
}

static int
null_device(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int
directory(void)
{
	return open(WORK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
masked_directory(void)
{
	return open(WORK "/masked-directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
terminal(void)
{
	int master;
	int slave;

	return openpty(&master, &slave, NULL, NULL, NULL) < 0 ? -1 : slave;
}

static int
terminal_master(void)
{
	int master;
	int slave;

	return openpty(&master, &slave, NULL, NULL, NULL) < 0 ? -1 : master;
}

static const struct stdio_case cases[] = {
	{ "file", 0, file_read, PLAN_STDIO_REOPEN, NET_MODE_FULL },
	{ "masked file", 0, file_masked, PLAN_STDIO_PUMP, NET_MODE_FULL },
	{ "unlinked file", 0, file_unlinked, PLAN_STDIO_KEEP, NET_MODE_FULL },
	{ "unlinked file", 1, file_unlinked, PLAN_STDIO_KEEP, NET_MODE_FULL },
	{ "file for reading on 1", 1, file_read, PLAN_STDIO_REOPEN, NET_MODE_FULL },
	{ "written file", 1, file_written, PLAN_STDIO_PUMP, NET_MODE_FULL },
	{ "appended file", 2, file_appended, PLAN_STDIO_REOPEN, NET_MODE_FULL },
	{ "appended file outside", 1, file_appended_outside, PLAN_STDIO_PUMP, NET_MODE_FULL },
	{ "appended file, protected", 1, file_appended_protected, PLAN_STDIO_PUMP, NET_MODE_FULL },
	{ "fifo", 0, named_fifo, PLAN_STDIO_PUMP, NET_MODE_FULL },
	{ "fifo", 1, named_fifo, PLAN_STDIO_PUMP, NET_MODE_FULL },
	{ "pipe", 0, pipe_end, PLAN_STDIO_KEEP, NET_MODE_FULL },
	{ "unix stream", 0, unix_stream, PLAN_STDIO_KEEP, NET_MODE_BLOCKED },
	{ "unix datagrams", 0, unix_datagram, REFUSED, NET_MODE_FULL },
	{ "internet socket", 0, internet, PLAN_STDIO_KEEP, NET_MODE_FULL },
	{ "internet socket", 0, internet, REFUSED, NET_MODE_OUTBOUND },
	{ "eventfd", 2, event, REFUSED, NET_MODE_FULL },
	{ "O_PATH", 0, handle, REFUSED, NET_MODE_FULL },
	{ "namespace", 0, name_space, REFUSED, NET_MODE_FULL },
	{ "memfd", 0, memory, PLAN_STDIO_KEEP, NET_MODE_FULL },
	{ "null", 0, null_device, PLAN_STDIO_REOPEN, NET_MODE_FULL },
	{ "directory", 0, directory, PLAN_STDIO_REOPEN, NET_MODE_FULL },
	{ "masked directory", 0, masked_directory, REFUSED, NET_MODE_FULL },
	{ "terminal", 0, terminal, PLAN_STDIO_TTY, NET_MODE_FULL },
	{ "master of a terminal", 0, terminal_master, REFUSED, NET_MODE_FULL },
};

static void
make_plan(struct plan *plan)
{
	plan_init(plan);
	plan_add_mount(plan, PLAN_MOUNT_WRITABLE, WORK "/writable", "test");
	plan_add_mount(plan, PLAN_MOUNT_READ_ONLY, WORK "/writable/protected", "test");
	plan_add_mount(plan, PLAN_MOUNT_MASK, WORK "/masked", "test");
	plan_add_mount(plan, PLAN_MOUNT_MASK, WORK "/masked-directory", "test");
	plan_add_mount(plan, PLAN_MOUNT_DEVPTS, "/dev/pts", "private");
}

/* Runs in a child: 0 as expected, 1 otherwise. */
static int
check_case(const struct stdio_case *one)
{
	const struct policy policy = { .net_mode = one->net_mode };
	struct error err = ERROR_INIT;
	struct stdio_pumps *pumps = NULL;
	struct plan plan;
	char number[32];
	int fd = one->open();
	int r;

	make_plan(&plan);
	if (fd < 0 || dup2(fd, one->number) < 0)
		return 1;
	r = stdio_plan(&policy, &plan, &pumps, &err);
	snprintf(number, sizeof(number), "descriptor %d", one->number);
	if (one->expected == REFUSED) {
		if (r != -EPERM || strstr(err.message, number) == NULL)
			return 1;
	} else {
		const struct plan_stdio *stdio = &plan.stdio[one->number];

		if (r < 0 || (int)stdio->kind != one->expected || stdio->shared_with >= 0)
			return 1;
		if ((stdio->kind == PLAN_STDIO_PUMP) != (stdio->pump_inside_fd >= 0 && !stdio->copy_offset))
			return 1;
	}
	stdio_free(pumps);
	plan_done(&plan);
	return 0;
}

/* In a child whose 0-2 are /dev/null, and which has no terminal. */
static int
in_child(int (*check)(const void *data), const void *data)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		setsid();
		for (int n = 0; n < 3; n++) {
			int null_fd = open("/dev/null", O_RDWR);

			dup2(null_fd, n);
			close(null_fd);
		}
		_exit(check(data));
	}
	waitpid(pid, &status, 0);
	return status;
}

static int
check_case_data(const void *data)
{
	return check_case(data);
}

static void
test_each_kind_becomes_what_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (in_child(check_case_data, &cases[i]) != 0)
			fail_msg("%s on %d", cases[i].name, cases[i].number);
	}
}

static int
check_shared(const void *data)
{
	const struct policy policy = { .net_mode = NET_MODE_FULL };
	struct error err = ERROR_INIT;
	struct stdio_pumps *pumps;
	struct plan plan;
	int fd = file_written();

	(void)data;
	make_plan(&plan);
	dup2(fd, 1);
	dup2(fd, 2);
	if (stdio_plan(&policy, &plan, &pumps, &err) < 0)
		return 1;
	if (plan.stdio[1].kind != PLAN_STDIO_PUMP || plan.stdio[2].shared_with != 1)
		return 2;
	stdio_free(pumps);
	plan_done(&plan);
	make_plan(&plan);
	/* The same file by another description has an offset, and so an order, of its own. */
	dup2(file_written(), 2);
	if (stdio_plan(&policy, &plan, &pumps, &err) < 0)
		return 3;
	return plan.stdio[2].shared_with == -1 && plan.stdio[2].kind == PLAN_STDIO_PUMP ? 0 : 4;
}

static void
test_one_description_is_one_pump(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_shared, NULL), 0);
}

static int
check_closed(const void *data)
{
	const struct policy policy = { .net_mode = NET_MODE_FULL };
	struct error err = ERROR_INIT;
	struct stdio_pumps *pumps;
	struct plan plan;

	(void)data;
	make_plan(&plan);
	dup2(file_written(), 2);
	close(0);
	close(1);
	if (stdio_plan(&policy, &plan, &pumps, &err) < 0)
		return 1;
	if (plan.stdio[0].kind != PLAN_STDIO_CLOSED || plan.stdio[1].kind != PLAN_STDIO_CLOSED)
		return 2;
	return plan.stdio[2].pump_inside_fd > 2 ? 0 : 3;
}

static void
test_closed_numbers_are_taken(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_closed, NULL), 0);
}

static int
set_up(void **state)
{
	(void)state;
	mkdir(WORK, 0700);
	mkdir(WORK "/writable", 0700);
	mkdir(WORK "/masked-directory", 0700);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "file",	     "masked",		   "log",
					     "writable/log", "writable/protected", "fifo" };
	static const char *const directories[] = { "writable", "masked-directory", "" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), WORK "/%s", files[i]);
		unlink(path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), WORK "/%s", directories[i]);
		rmdir(path);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_becomes_what_it_should),
		cmocka_unit_test(test_one_description_is_one_pump),
		cmocka_unit_test(test_closed_numbers_are_taken),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
