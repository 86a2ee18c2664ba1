/* Protected names when planning: what is mounted, what is watched, in which order. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/plan.h"
#include "sandbox/protect.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

struct fixture {
	char *root; /* holds `ws`, `home` and whatever a test makes */
	char *ws;
	struct policy policy;
	struct plan plan;
	struct strv explicit_paths;
};

static char *
at(const struct fixture *f, const char *name)
{
	return path_join(f->root, name);
}

static void
make_directory(const struct fixture *f, const char *name)
{
	_cleanup_free_ char *path = at(f, name);

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static void
make_file(const struct fixture *f, const char *name, const char *text)
{
	_cleanup_free_ char *path = at(f, name);
	_cleanup_free_ char *directory = path_dirname(name);
	int fd;

	make_directory(f, directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void
make_git_dir(const struct fixture *f, const char *name, const char *config)
{
	_cleanup_free_ char *head = path_join(name, "HEAD");
	_cleanup_free_ char *objects = path_join(name, "objects");
	_cleanup_free_ char *refs = path_join(name, "refs");
	_cleanup_free_ char *hooks = path_join(name, "hooks");
	_cleanup_free_ char *file = path_join(name, "config");

	make_file(f, head, "ref: refs/heads/main\n");
	make_directory(f, objects);
	make_directory(f, refs);
	make_directory(f, hooks);
	make_file(f, file, config);
}

static void
add_mount(struct fixture *f, const char *path)
{
	plan_add_mount(&f->plan, PLAN_MOUNT_WRITABLE, path, "-v");
	strv_add(&f->explicit_paths, path);
}

static int
setup(void **state)
{
	char template[] = "/tmp/porta-protect-XXXXXX";
	char real[PATH_MAX];
	struct fixture *f = MEM_NEW(struct fixture);
	_cleanup_free_ char *home = NULL;

	if (mkdtemp(template) == NULL || realpath(template, real) == NULL)
		return -1;
	f->root = mem_strdup(real);
	f->ws = at(f, "ws");
	home = at(f, "home");
	make_directory(f, "ws");
	make_directory(f, "home");
	setenv("HOME", home, 1);
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("XDG_CONFIG_HOME");
	policy_init(&f->policy);
	plan_init(&f->plan);
	add_mount(f, f->ws);
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
	plan_done(&f->plan);
	policy_done(&f->policy);
	strv_done(&f->explicit_paths);
	free(f->root);
	free(f->ws);
	free(f);
	return 0;
}

static void
protect(struct fixture *f, const char *path)
{
	struct error err = ERROR_INIT;
	struct strv paths = STRV_INIT;

	strv_add(&paths, path);
	assert_int_equal(protect_plan_mounts(&f->plan, &f->policy, &paths, &f->explicit_paths, &err),
			 0);
	strv_done(&paths);
}

/* The index of the mount at a path below the root, of that kind; -1: there is none. */
static int
find_mount(const struct fixture *f, enum plan_mount_kind kind, const char *name)
{
	_cleanup_free_ char *path = at(f, name);
	int found = -1;

	for (size_t i = 0; i < f->plan.mounts_count; i++) {
		const struct plan_mount *mount = &f->plan.mounts[i];

		if (mount->kind != kind || !str_equal(mount->path, path))
			continue;
		assert_int_equal(found, -1); /* once */
		found = (int)i;
		if (kind != PLAN_MOUNT_WRITABLE)
			assert_true(mount->inode.number != 0);
	}
	return found;
}

static const struct protect_watch *
find_watch(const struct fixture *f, const char *name)
{
	_cleanup_free_ char *path = at(f, name);

	for (size_t i = 0; i < f->plan.watches_count; i++) {
		const struct protect_watch *watch = &f->plan.watches[i];
		_cleanup_free_ char *own = path_join(watch->directory, watch->name);

		if (str_equal(own, path))
			return watch;
	}
	return NULL;
}

static void
check_held(const struct fixture *f, const char *name)
{
	const struct protect_watch *watch = find_watch(f, name);

	if (find_mount(f, PLAN_MOUNT_READ_ONLY, name) < 0 || watch == NULL || !watch->exists)
		fail_msg("%s is not held", name);
}

static void
check_absent(const struct fixture *f, const char *name)
{
	const struct protect_watch *watch = find_watch(f, name);

	if (watch == NULL || watch->exists || watch->is_symlink ||
	    find_mount(f, PLAN_MOUNT_READ_ONLY, name) >= 0)
		fail_msg("%s is not watched as absent", name);
}

static void
test_plain_directory(void **state)
{
	struct fixture *f = *state;

	make_file(f, "ws/.envrc", "x");
	make_directory(f, "ws/.vscode");
	make_directory(f, "ws/.config/fish");
	protect(f, f->ws);
	check_held(f, "ws/.envrc");
	check_held(f, "ws/.vscode");
	check_absent(f, "ws/.claude");
	check_absent(f, "ws/porta.toml");
	check_absent(f, "ws/.mcp.json");
	check_absent(f, "ws/.config/fish/config.fish");
	check_absent(f, "ws/.config/systemd/user");
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.config") >= 0);
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.config/fish") >
		    find_mount(f, PLAN_MOUNT_PIN, "ws/.config"));
	assert_true(find_watch(f, "ws/.claude")->is_directory);
	assert_false(find_watch(f, "ws/.envrc")->is_directory);
	/* A new repository is not guarded by name. */
	assert_null(find_watch(f, "ws/.git"));
	assert_null(find_watch(f, "ws/.git/hooks"));
	assert_null(find_watch(f, "ws/.ssh"));
}

static void
test_repository(void **state)
{
	struct fixture *f = *state;

	make_git_dir(f, "ws/.git", "[core]\n\tbare = false\n");
	protect(f, f->ws);
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.git") > 0);
	check_held(f, "ws/.git/hooks");
	check_held(f, "ws/.git/config");
	assert_true(find_watch(f, "ws/.git/config")->is_git_config);
	assert_string_equal(find_watch(f, "ws/.git/config")->label, ".git/config");
	check_absent(f, "ws/.git/commondir");
	check_absent(f, "ws/.git/config.worktree");
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.git") <
		    find_mount(f, PLAN_MOUNT_READ_ONLY, "ws/.git/hooks"));
}

static void
test_config_targets(void **state)
{
	struct fixture *f = *state;

	make_git_dir(
	    f, "ws/.git",
	    "[core]\nhooksPath = tools/hooks\n[include]\npath = ../extra.conf\n"
	    "[includeIf \"gitdir:/x\"]\npath = ../a/absent.conf\n[include]\npath = ../.envrc\n");
	make_file(f, "ws/.envrc", "");
	make_directory(f, "ws/tools/hooks");
	make_file(f, "ws/extra.conf",
		  "[core]\nhooksPath = .husky/_\n[include]\npath = ../ws/extra.conf\n");
	make_directory(f, "ws/.husky/_");
	make_file(f, "home/.gitconfig",
		  "[core]\nhooksPath = .githooks\n[include]\npath = ~/other\n");
	make_file(f, "home/other", "[core]\nhooksPath = ~/hooks\n");
	protect(f, f->ws);
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/tools") >= 0);
	check_held(f, "ws/tools/hooks");
	check_held(f, "ws/extra.conf");
	assert_true(find_watch(f, "ws/extra.conf")->is_git_config);
	check_held(f, "ws/.envrc"); /* listed, and included too */
	assert_true(find_watch(f, "ws/.envrc")->is_git_config);
	check_held(f, "ws/.husky");
	check_absent(f, "ws/a/absent.conf");
	check_absent(f, "ws/.githooks");
	assert_null(find_watch(f, "home/hooks"));
}

static void
test_symlinks(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *claude = at(f, "ws/.claude");
	_cleanup_free_ char *link = at(f, "ws/link");
	_cleanup_free_ char *envrc = at(f, "ws/.envrc");
	_cleanup_free_ char *loop = at(f, "ws/.bashrc");

	make_directory(f, "ws/dot/claude");
	make_file(f, "home/envrc", "x");
	assert_int_equal(symlink("dot/claude", link), 0);
	assert_int_equal(symlink("link", claude), 0);
	assert_int_equal(symlink("../home/envrc", envrc), 0);
	assert_int_equal(symlink(".bashrc", loop), 0);
	protect(f, f->ws);
	assert_true(find_watch(f, "ws/.claude")->is_symlink);
	assert_true(find_watch(f, "ws/link")->is_symlink);
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/dot") >= 0);
	check_held(f, "ws/dot/claude");
	assert_true(find_watch(f, "ws/.envrc")->is_symlink);
	assert_null(find_watch(f, "home/envrc")); /* not writable anyway */
	assert_true(find_watch(f, "ws/.bashrc")->is_symlink);
}

static void
test_allowed(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;

	make_git_dir(f, "ws/.git", "[core]\nhooksPath = h\n");
	make_directory(f, "ws/.claude");
	make_directory(f, "ws/h");
	policy_add_allow_protected(&f->policy, ".git/config", &err);
	policy_add_allow_protected(&f->policy, ".claude", &err);
	protect(f, f->ws);
	assert_null(find_watch(f, "ws/.git/config"));
	assert_null(find_watch(f, "ws/.claude"));
	check_held(f, "ws/.git/hooks");
	check_held(f, "ws/h");
}

static void
test_all_allowed(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;

	make_git_dir(f, "ws/.git", "");
	policy_add_allow_protected(&f->policy, NULL, &err);
	protect(f, f->ws);
	assert_int_equal(f->plan.mounts_count, 1);
	assert_int_equal(f->plan.watches_count, 0);
}

static void
test_explicit_mounts(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *projects = at(f, "ws/.claude/projects");
	_cleanup_free_ char *hooks = at(f, "ws/.git/hooks");

	make_git_dir(f, "ws/.git", "");
	make_directory(f, "ws/.claude/projects");
	add_mount(f, projects);
	add_mount(f, hooks);
	protect(f, f->ws);
	/* The read-only mount comes first, or it would hide the writable one below it. */
	assert_true(find_mount(f, PLAN_MOUNT_READ_ONLY, "ws/.claude") <
		    find_mount(f, PLAN_MOUNT_WRITABLE, "ws/.claude/projects"));
	assert_int_equal(find_mount(f, PLAN_MOUNT_READ_ONLY, "ws/.git/hooks"), -1);
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.git") <
		    find_mount(f, PLAN_MOUNT_WRITABLE, "ws/.git/hooks"));
	check_held(f, "ws/.git/config");
}

static void
test_submodules(void **state)
{
	struct fixture *f = *state;

	make_git_dir(f, "ws/.git", "");
	make_git_dir(f, "ws/.git/modules/one", "[core]\nworktree = ../../../one\nhooksPath = h\n");
	make_git_dir(f, "ws/.git/modules/libs/two", "[core]\nworktree = ../../../../libs/two\n");
	make_git_dir(f, "ws/.git/modules/one/modules/in", "");
	make_file(f, "ws/one/.git", "gitdir: ../.git/modules/one\n");
	make_file(f, "ws/libs/two/.git", "gitdir: ../../.git/modules/libs/two\n");
	make_file(f, "ws/.gitmodules",
		  "[submodule \"old\"]\npath = old\n[submodule \"up\"]\npath = ../../x\n");
	make_git_dir(f, "ws/old/.git", "");
	protect(f, f->ws);
	check_held(f, "ws/.git/modules/one/config");
	check_held(f, "ws/.git/modules/one/hooks");
	check_held(f, "ws/.git/modules/libs/two/config");
	check_held(f, "ws/.git/modules/one/modules/in/config");
	check_absent(f, "ws/.git/modules/one/commondir");
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.git/modules/libs/two") >= 0);
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/.git/modules/libs") >= 0);
	check_held(f, "ws/one/.git");
	check_held(f, "ws/libs/two/.git");
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/libs") >= 0);
	check_held(f, "ws/old/.git/config");
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "ws/old") >= 0);
	assert_string_equal(find_watch(f, "ws/.git/modules/libs/two/config")->label,
			    ".git/modules/libs/two/config");
}

static void
make_worktree(const struct fixture *f, const char *back)
{
	_cleanup_free_ char *link = mem_printf("gitdir: %s/main/.git/worktrees/ws\n", f->root);

	make_git_dir(f, "main/.git", "");
	make_file(f, "main/.git/worktrees/ws/HEAD", "ref: refs/heads/x\n");
	make_file(f, "main/.git/worktrees/ws/commondir", "../..\n");
	make_file(f, "main/.git/worktrees/ws/gitdir", back);
	make_file(f, "ws/.git", link);
}

static void
test_worktree(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *back = mem_printf("%s/.git\n", f->ws);
	int common;

	make_worktree(f, back);
	protect(f, f->ws);
	check_held(f, "ws/.git");
	common = find_mount(f, PLAN_MOUNT_WRITABLE, "main/.git");
	assert_true(common > 0);
	assert_true(f->plan.mounts[common].inode.number != 0);
	assert_true(find_mount(f, PLAN_MOUNT_READ_ONLY, "main/.git/config") > common);
	check_held(f, "main/.git/hooks");
	check_held(f, "main/.git/worktrees/ws/commondir");
	check_held(f, "main/.git/worktrees/ws/gitdir");
	check_absent(f, "main/.git/worktrees/ws/config.worktree");
	assert_true(find_mount(f, PLAN_MOUNT_PIN, "main/.git/worktrees/ws") > common);
	assert_int_equal(f->plan.grants_count, 1);
	assert_true(f->plan.grants[0].write);
}

/* A `.git` file of a hostile project must not make a directory outside writable. */
static void
test_worktree_that_points_elsewhere(void **state)
{
	struct fixture *f = *state;

	make_worktree(f, "/elsewhere/.git\n");
	protect(f, f->ws);
	check_held(f, "ws/.git");
	assert_int_equal(find_mount(f, PLAN_MOUNT_WRITABLE, "main/.git"), -1);
	assert_int_equal(f->plan.grants_count, 0);
}

static void
test_worktree_with_a_forged_common_directory(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *back = mem_printf("%s/.git\n", f->ws);
	_cleanup_free_ char *common = mem_printf("%s/home\n", f->root);

	make_git_dir(f, "home", "");
	make_worktree(f, back);
	make_file(f, "main/.git/worktrees/ws/commondir", common);
	protect(f, f->ws);
	for (size_t i = 1; i < f->plan.mounts_count; i++)
		assert_int_not_equal(f->plan.mounts[i].kind, PLAN_MOUNT_WRITABLE);
}

static void
test_bare_repository_and_git_dir_mounts(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *bare = at(f, "bare.git");

	make_git_dir(f, "bare.git", "[core]\nhooksPath = h\n");
	make_directory(f, "bare.git/h");
	add_mount(f, bare);
	protect(f, bare);
	check_held(f, "bare.git/config");
	check_held(f, "bare.git/hooks");
	check_held(f, "bare.git/h");
}

static void
test_odd_things(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *fifo = at(f, "ws/.git/config");
	_cleanup_free_ char *modules = at(f, "ws/.gitmodules");
	_cleanup_free_ char *file = at(f, "file");

	make_git_dir(f, "ws/.git", "");
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkfifo(modules, 0600), 0);
	protect(f, f->ws); /* does not hang */
	assert_true(find_mount(f, PLAN_MOUNT_READ_ONLY, "ws/.git/config") > 0);
	make_file(f, "file", "x");
	protect(f, file); /* a mount of a file has no names */
}

static void
test_home(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *home = at(f, "home");

	make_directory(f, "home/.gnupg");
	protect_plan_absent_home(&f->plan, home);
	assert_int_equal(f->plan.watches_count, 0);
	add_mount(f, home);
	policy_add_allow_protected(&f->policy, NULL, &err);
	protect(f, home);
	protect_plan_absent_home(&f->plan, home);
	check_absent(f, "home/.ssh");
	assert_true(find_watch(f, "home/.ssh")->is_directory);
	assert_null(find_watch(f, "home/.gnupg"));
}

static void
test_own_directories(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *home = at(f, "home");
	_cleanup_free_ char *data = at(f, "home/.local/share/porta");
	_cleanup_free_ char *cache = at(f, "home/.cache/porta");

	make_directory(f, "home/.local/share/porta");
	protect_plan_own(&f->plan, data);
	assert_int_equal(f->plan.watches_count, 0);
	add_mount(f, home);
	policy_add_allow_protected(&f->policy, NULL, &err);
	protect(f, home);
	protect_plan_own(&f->plan, data);
	protect_plan_own(&f->plan, cache);
	check_held(f, "home/.local/share/porta");
	check_absent(f, "home/.cache/porta");
	assert_true(find_watch(f, "home/.cache/porta")->is_own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repository, setup, teardown),
		cmocka_unit_test_setup_teardown(test_config_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symlinks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_explicit_mounts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_submodules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worktree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worktree_that_points_elsewhere, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_worktree_with_a_forged_common_directory, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bare_repository_and_git_dir_mounts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_odd_things, setup, teardown),
		cmocka_unit_test_setup_teardown(test_home, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_directories, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
