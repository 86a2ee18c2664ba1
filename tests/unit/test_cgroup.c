/*
 * Limits by cgroup: finding porta's group on a tree of files that looks like one; making and
 * removing groups in the kernel's own, where root may (with whatever controller is free there).
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/linux/cgroup.h"
#include "sandbox/linux/mount_table.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define NOBODY 65534

struct fixture {
	char *root;
	char *proc; /* what /proc/self is to the code */
	struct strv settings;
};

static void
write_file(const char *directory, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* A group of the fake tree that is in order: all controllers, this process alone. */
static char *
make_group(const struct fixture *f, const char *name)
{
	_cleanup_free_ char *own = mem_printf("%d\n", getpid());
	char *path = path_join(f->root, name);

	for (char *slash = strchr(path + strlen(f->root) + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(path, "cgroup.type", "domain\n");
	write_file(path, "cgroup.controllers", "cpuset cpu io memory pids\n");
	write_file(path, "cgroup.subtree_control", "\n");
	write_file(path, "cgroup.procs", own);
	return path;
}

/* One mount of cgroup2 among others: `point` is below the fixture's directory, blanks in it are
 * written as \040. */
static void
write_mounts(const struct fixture *f, const char *root, const char *point)
{
	_cleanup_free_ char *text = mem_printf(
	    "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
	    "30 21 0:25 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	    "31 21 0:26 %s %s/%s rw,nosuid shared:9 master:3 - cgroup2 cgroup2 rw,nsdelegate\n"
	    "32 21 0:27 / /elsewhere rw - tmpfs cgroup2 rw\n",
	    root, f->root, point);

	write_file(f->proc, "mountinfo", text);
}

static int
setup(void **state)
{
	char template[] = "/tmp/porta-cgroup-XXXXXX";
	const struct policy_limits limits = {
		.is_set = { [LIMIT_MEMORY_BYTES] = true,
			    [LIMIT_TASKS] = true,
			    [LIMIT_CPU_MILLI] = true },
		.value = { [LIMIT_MEMORY_BYTES] = 1 << 20,
			   [LIMIT_TASKS] = 7,
			   [LIMIT_CPU_MILLI] = 1500 },
	};
	struct fixture *f = MEM_NEW(struct fixture);

	if (mkdtemp(template) == NULL || chmod(template, 0755) < 0)
		return -1;
	f->root = mem_strdup(template);
	f->proc = path_join(f->root, "proc");
	mkdir(f->proc, 0755);
	cgroup_add_settings(&limits, &f->settings);
	write_file(f->proc, "cgroup", "9:name=systemd:/v1\n8:pids:/v1\n0::/a/own\n");
	write_mounts(f, "/", "cg");
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	strv_done(&f->settings);
	free(f->proc);
	free(f->root);
	free(f);
	return 0;
}

static void
assert_found(const struct fixture *f, const char *path)
{
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_INIT;

	if (cgroup_find(f->proc, &f->settings, &found, &err) < 0)
		fail_msg("not found: %s", err.message);
	assert_string_equal(found, path);
}

static void
assert_refused(const struct fixture *f, const char *reason)
{
	char *found = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(cgroup_find(f->proc, &f->settings, &found, &err), -EOPNOTSUPP);
	assert_null(found);
	if (strstr(err.message, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
}

static void
test_settings(void **state)
{
	static const char *const expected[] = {
		"memory.max 1048576", "memory.swap.max 0",     "memory.oom.group 1",
		"pids.max 7",	      "cpu.max 150000 100000",
	};
	const struct fixture *f = *state;
	struct policy_limits rlimits = { .is_set = { [LIMIT_OPEN_FILES] = true } };
	struct strv none = STRV_INIT;

	assert_int_equal(f->settings.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(f->settings.items[i], expected[i]);
	cgroup_add_settings(&rlimits, &none);
	assert_int_equal(none.count, 0);
}

static void
test_found(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *path = make_group(f, "cg/a/own");

	assert_found(f, path);
}

static void
test_mount_with_a_blank(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *path = make_group(f, "c g/a/own");

	write_mounts(f, "/", "c\\040g");
	assert_found(f, path);
}

static void
test_mount_of_a_part(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *path = make_group(f, "cg/own");

	write_mounts(f, "/a", "cg");
	assert_found(f, path);
	write_mounts(f, "/a/ow", "cg");
	assert_refused(f, "no cgroup v2 file system");
	write_mounts(f, "/a/own", "cg/own");
	assert_found(f, path);
}

static void
test_no_group(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *file = path_join(f->proc, "cgroup");

	assert_refused(f, "cannot be opened");
	write_file(f->proc, "cgroup", "0::/../outside\n");
	assert_refused(f, "no cgroup of version 2");
	write_file(f->proc, "cgroup", "8:pids:/0::/a/own\n10::/a/own\n");
	assert_refused(f, "no cgroup of version 2");
	write_file(f->proc, "cgroup", "");
	assert_refused(f, "no cgroup of version 2");
	assert_int_equal(unlink(file), 0);
	assert_refused(f, "no cgroups");
}

static void
test_missing_controllers(void **state)
{
	static const struct {
		const char *available;
		const char *missing;
	} cases[] = {
		{ "cpuset cpu io pids\n", "\"memory\"" },
		{ "cpuset cpu memory io\n", "\"pids\"" },
		{ "cpuset memory pids\n", "\"cpu\"" },
		{ "\n", "\"memory\"" },
	};
	const struct fixture *f = *state;
	_cleanup_free_ char *path = make_group(f, "cg/a/own");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_file(path, "cgroup.controllers", cases[i].available);
		assert_refused(f, cases[i].missing);
	}
	write_file(path, "cgroup.controllers", "memory pids cpu");
	assert_found(f, path);
}

static void
test_not_alone(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *path = make_group(f, "cg/a/own");
	_cleanup_free_ char *type = path_join(path, "cgroup.type");
	_cleanup_free_ char *two = mem_printf("%d\n%d\n", getpid(), getppid());

	write_file(path, "cgroup.procs", two);
	assert_refused(f, "not alone");
	/* 0: of another pid namespace */
	write_file(path, "cgroup.procs", "0\n");
	assert_refused(f, "process 0");
	/* The root of all groups has no type, and may have processes. */
	assert_int_equal(unlink(type), 0);
	assert_found(f, path);
}

static void
test_not_delegated(void **state)
{
	const struct fixture *f = *state;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	free(make_group(f, "cg/a/own"));
	pid = fork();
	if (pid == 0) {
		char *found = NULL;
		struct error err = ERROR_INIT;

		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(2);
		_exit(cgroup_find(f->proc, &f->settings, &found, &err) != -EOPNOTSUPP ||
		      strstr(err.message, "not delegated") == NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- in the kernel's tree ---- */

struct real {
	char *top;   /* where cgroup2 is mounted */
	char *group; /* made for the test: porta's own */
	const char *setting;
	const char *switched_on; /* at the top, for the test: "hugetlb", or NULL */
};

static int
write_at(const char *directory, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static bool
exists(const char *directory, const char *format, int pid)
{
	_cleanup_free_ char *name = mem_printf(format, pid);
	_cleanup_free_ char *path = path_join(directory, name);

	return access(path, F_OK) == 0;
}

static void
make_in(const char *directory, const char *format, int pid)
{
	_cleanup_free_ char *name = mem_printf(format, pid);
	_cleanup_free_ char *path = path_join(directory, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static bool
is_in(const char *end)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *line = mem_printf("%s\n", end);

	return fd_read_file_at(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL) == 0 &&
	       str_ends_with(text, line);
}

static bool
is_in_own(const char *format)
{
	_cleanup_free_ char *end = mem_printf(format, getpid());

	return is_in(end);
}

static char *
find_top(void)
{
	struct error err = ERROR_INIT;
	struct mount_table table;
	char *top = NULL;

	if (mount_table_read("/proc/self/mountinfo", &table, &err) < 0)
		return NULL;
	for (size_t i = 0; i < table.count; i++) {
		if (top == NULL && str_equal(table.entries[i].type, "cgroup2") &&
		    str_equal(table.entries[i].root, "/"))
			top = mem_strdup(table.entries[i].point);
	}
	mount_table_done(&table);
	return top;
}

static int
setup_real(void **state)
{
	static const struct {
		const char *controller;
		const char *setting;
	} controllers[] = { { "pids", "pids.max 5" }, { "hugetlb", "hugetlb.2MB.max 0" } };
	struct real *real = MEM_NEW(struct real);

	*state = real;
	real->top = geteuid() == 0 ? find_top() : NULL;
	if (real->top == NULL)
		return 0;
	real->group = mem_printf("%s/porta-test-%d", real->top, getpid());
	for (size_t i = 0; real->setting == NULL && i < ARRAY_SIZE(controllers); i++) {
		_cleanup_free_ char *on = mem_printf("+%s", controllers[i].controller);
		_cleanup_free_ char *path = path_join(real->top, "cgroup.subtree_control");
		_cleanup_free_ char *before = NULL;

		if (fd_read_file_at(AT_FDCWD, path, 4096, &before, NULL) < 0 ||
		    write_at(real->top, "cgroup.subtree_control", on) < 0)
			continue;
		real->setting = controllers[i].setting;
		if (strstr(before, controllers[i].controller) == NULL)
			real->switched_on = controllers[i].controller;
	}
	if (real->setting != NULL && mkdir(real->group, 0755) < 0)
		real->setting = NULL;
	return 0;
}

static int
teardown_real(void **state)
{
	struct real *real = *state;

	if (real->setting != NULL)
		rmdir(real->group);
	if (real->switched_on != NULL) {
		_cleanup_free_ char *off = mem_printf("-%s", real->switched_on);

		(void)write_at(real->top, "cgroup.subtree_control", off);
	}
	free(real->top);
	free(real->group);
	free(real);
	return 0;
}

static void
plan_for(const struct real *real, struct plan *plan)
{
	plan_init(plan);
	plan->cgroup_path = mem_strdup(real->group);
	strv_add(&plan->cgroup_settings, real->setting);
}

/* Runs a test in a process that is in the group, as porta would be. */
static void
in_group(void **state, void (*test)(const struct real *real))
{
	const struct real *real = *state;
	int status;
	pid_t pid;

	if (real->setting == NULL)
		skip();
	pid = fork();
	if (pid == 0) {
		if (write_at(real->group, "cgroup.procs", "0") < 0)
			_exit(2);
		test(real);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Nothing is left, or this fails. */
	assert_int_equal(rmdir(real->group), 0);
	assert_int_equal(mkdir(real->group, 0755), 0);
}

/* For the processes that are not cmocka's own. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void
join_and_look(const struct plan *plan)
{
	_cleanup_free_ char *end = mem_printf("/porta-run-%d", getpid());
	struct error err = ERROR_INIT;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(cgroup_join(plan, &err) < 0 || !is_in(end));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
make_join_and_end(const struct real *real)
{
	struct error err = ERROR_INIT;
	struct cgroup cgroup;
	struct plan plan;

	plan_for(real, &plan);
	make_in(real->group, "porta-run-%d", INT32_MAX);
	make_in(real->group, "porta-supervisor-%d", INT32_MAX);
	CHECK(cgroup_make(&plan, &cgroup, &err) == 0);
	CHECK(!exists(real->group, "porta-run-%d", INT32_MAX));
	CHECK(!exists(real->group, "porta-supervisor-%d", INT32_MAX));
	CHECK(is_in_own("/porta-supervisor-%d"));
	join_and_look(&plan);
	CHECK(cgroup_count_events(&cgroup, "cgroup.events", "populated") == 0);
	CHECK(cgroup_count_events(&cgroup, "cgroup.stat", "nr_descendants") == 0);
	CHECK(cgroup_count_events(&cgroup, "no.such.file", "max") == 0);
	cgroup_done(&cgroup);
	CHECK(!exists(real->group, "porta-run-%d", getpid()));
	CHECK(!exists(real->group, "porta-supervisor-%d", getpid()));
	CHECK(!is_in_own("/porta-supervisor-%d"));
	/* And once more: the group is as it was. */
	CHECK(cgroup_make(&plan, &cgroup, &err) == 0);
	cgroup_done(&cgroup);
	plan_done(&plan);
}

static void
test_make_join_and_end(void **state)
{
	in_group(state, make_join_and_end);
}

static void
make_beside_another(const struct real *real)
{
	struct error err = ERROR_INIT;
	struct cgroup cgroup = CGROUP_INIT;
	struct plan plan;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	plan_for(real, &plan);
	CHECK(cgroup_make(&plan, &cgroup, &err) < 0);
	CHECK(strstr(err.message, "other processes") != NULL);
	CHECK(cgroup.own_fd == -1 && plan.cgroup_procs_fd == -1);
	CHECK(!exists(real->group, "porta-supervisor-%d", getpid()));
	CHECK(!is_in_own("/porta-supervisor-%d"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	plan_done(&plan);
}

static void
test_another_process_in_the_group(void **state)
{
	in_group(state, make_beside_another);
}

static void
make_with_a_bad_setting(const struct real *real)
{
	struct error err = ERROR_INIT;
	struct cgroup cgroup = CGROUP_INIT;
	struct plan plan;

	plan_for(real, &plan);
	strv_add(&plan.cgroup_settings, "cgroup.max.depth nonsense");
	CHECK(cgroup_make(&plan, &cgroup, &err) < 0);
	CHECK(!exists(real->group, "porta-run-%d", getpid()));
	CHECK(!exists(real->group, "porta-supervisor-%d", getpid()));
	plan_done(&plan);
}

static void
test_failure_leaves_nothing(void **state)
{
	in_group(state, make_with_a_bad_setting);
}

static void
end_beside_another(const struct real *real)
{
	_cleanup_free_ char *other = path_join(real->group, "other");
	_cleanup_free_ char *supervisor =
	    mem_printf("%s/porta-supervisor-%d", real->group, getpid());
	_cleanup_free_ char *subtree = path_join(real->group, "cgroup.subtree_control");
	_cleanup_free_ char *controllers = NULL;
	struct error err = ERROR_INIT;
	struct cgroup cgroup;
	struct plan plan;

	plan_for(real, &plan);
	CHECK(cgroup_make(&plan, &cgroup, &err) == 0);
	CHECK(mkdir(other, 0755) == 0);
	cgroup_done(&cgroup);
	/* The other may rely on the controllers: they stay, and so must porta. */
	CHECK(fd_read_file_at(AT_FDCWD, subtree, 4096, &controllers, NULL) == 0);
	CHECK(strlen(controllers) > 1);
	CHECK(is_in_own("/porta-supervisor-%d"));
	CHECK(rmdir(other) == 0);
	/* Tidy up for the next test. */
	CHECK(write_at(real->top, "cgroup.procs", "0") == 0);
	CHECK(rmdir(supervisor) == 0);
	plan_done(&plan);
}

static void
test_another_group_keeps_its_controllers(void **state)
{
	in_group(state, end_beside_another);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mount_with_a_blank, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mount_of_a_part, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_controllers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_delegated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_make_join_and_end, setup_real, teardown_real),
		cmocka_unit_test_setup_teardown(test_another_process_in_the_group, setup_real,
						teardown_real),
		cmocka_unit_test_setup_teardown(test_failure_leaves_nothing, setup_real,
						teardown_real),
		cmocka_unit_test_setup_teardown(test_another_group_keeps_its_controllers,
						setup_real, teardown_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
