/*
 * The guard, attacked: names that are absent, names that exist, and what programs outside do
 * meanwhile.
 */
#include "guard_world.h"

#define ATTACK_MS 700

static const char evil[] = "[core]\n\tfsmonitor = ./evil\n";

static void
prepare_repository(void)
{
	assert_int_equal(mkdir(".git", 0755) | mkdir(".git/hooks", 0755) |
			     mkdir(".git/objects", 0755) | mkdir(".git/refs", 0755),
			 0);
	assert_int_equal(put(".git/HEAD", "ref: refs/heads/main\n", 0), 0);
	assert_int_equal(put(".git/config", "[core]\n\tbare = false\n", 0), 0);
}

/* A name that was absent. */

static void
make_envrc(void)
{
	if (put(".envrc", "echo evil\n", O_EXCL) < 0 || !wait_for_placeholder(".envrc"))
		_exit(1);
	if (put(".envrc", "again", 0) == 0 || unlink(".envrc") == 0 || rmdir(".envrc") == 0 ||
	    rename(".envrc", "x") == 0 || mkdir(".envrc/x", 0700) == 0 ||
	    chmod(".envrc", 0777) == 0)
		_exit(2);
}

static void
check_envrc(void)
{
	_cleanup_free_ char *kept = find_kept("-.envrc");
	_cleanup_free_ char *text = read_text(kept);

	assert_false(has_name(".envrc"));
	assert_string_equal(text, "echo evil\n");
	assert_true(was_told(GUARD_EVENT_TAKEN, ".envrc "));
}

static void
check_envrc_untold(void)
{
	_cleanup_free_ char *kept = find_kept("-.envrc");

	assert_false(has_name(".envrc"));
	assert_string_not_equal(kept, "");
}

static void
test_absent_name(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = make_envrc }, check_envrc);
}

static void
test_absent_name_without_a_broker(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = make_envrc, .deaf = true }, check_envrc_untold);
}

static void
prepare_other_file_system(void)
{
	_cleanup_free_ char *template = mem_strdup("/dev/shm/porta-guard-XXXXXX");

	if (mkdtemp(template) == NULL)
		skip();
	assert_int_equal(chmod(template, 0777), 0);
	free(world.data);
	world.data = TAKE_PTR(template);
}

static void
make_claude(void)
{
	struct stat st;

	/* Made elsewhere and moved in whole, with something that is no file. */
	if (mkdir("a", 0755) < 0 || mkdir("a/commands", 0755) < 0 ||
	    put("a/commands/x.md", "text", 0) < 0 || symlink("/etc/passwd", "a/link") < 0 ||
	    mkfifo("a/fifo", 0600) < 0 || rename("a", ".claude") < 0)
		_exit(1);
	if (!wait_for_placeholder(".claude") || put(".claude/settings.json", "x", 0) == 0)
		_exit(2);
	if (lstat(".claude/commands", &st) == 0)
		_exit(3);
}

static void
check_claude(void)
{
	_cleanup_free_ char *kept = find_kept("-.claude");
	_cleanup_free_ char *file = path_join(kept, "commands/x.md");
	_cleanup_free_ char *link = path_join(kept, "link");
	_cleanup_free_ char *text = read_text(file);
	char target[64] = "";

	assert_false(has_name(".claude"));
	assert_string_equal(text, "text");
	assert_true(readlink(link, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/etc/passwd");
}

static void
check_claude_across(void)
{
	check_claude();
	nftw(world.data, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

static void
test_absent_directory(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = make_claude }, check_claude);
}

static void
test_quarantine_on_another_file_system(void **state)
{
	(void)state;
	run(prepare_other_file_system, &(struct scenario){ .inside = make_claude },
	    check_claude_across);
}

/* A step of an attack, which may fail. */
static void
attempt(int result)
{
	(void)result;
}

/* Made, removed and made again, in every way, by several processes. */
static void
make_in_a_loop(void)
{
	_cleanup_free_ char *own = mem_printf("own-%d", getpid());
	_cleanup_free_ char *own_directory = mem_printf("own-%d.d", getpid());

	for (uint64_t end = now_ms() + ATTACK_MS; now_ms() < end;) {
		int fd;

		put(".envrc", "evil", 0);
		unlink(".envrc");
		put(own, "evil", 0);
		if (link(own, ".envrc") < 0)
			rename(own, ".envrc");
		mkdir(own_directory, 0755);
		rename(own_directory, ".claude");
		put(".claude/settings.json", "evil", 0);
		attempt(symlink("/tmp", ".vscode"));
		mkdir(".envrc", 0500);
		syscall(SYS_renameat2, AT_FDCWD, own, AT_FDCWD, ".envrc", 2 /* RENAME_EXCHANGE */);
		rmdir(".envrc");
		fd = open(".", O_TMPFILE | O_WRONLY, 0600);
		if (fd >= 0) {
			_cleanup_free_ char *self = mem_printf("/proc/self/fd/%d", fd);

			attempt(linkat(AT_FDCWD, self, AT_FDCWD, ".mcp.json", AT_SYMLINK_FOLLOW));
			close(fd);
		}
	}
}

static void
check_loop(void)
{
	static const char *const names[] = { ".envrc", ".claude", ".vscode", ".mcp.json" };
	_cleanup_free_ char *kept = find_kept("-.claude");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(has_name(names[i]));
	assert_string_not_equal(kept, "");
}

static void
test_name_made_in_a_loop(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = make_in_a_loop, .processes = 8 }, check_loop);
}

/* Keeps a handle of the placeholder from before it is mounted, and puts something in through it. */
static void
fill_the_placeholder(void)
{
	for (uint64_t end = now_ms() + ATTACK_MS; now_ms() < end;) {
		int fd;

		mkdir(".claude", 0755);
		fd = open(".claude", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		fchmod(fd, 0755);
		for (int i = 0; i < 50; i++) {
			int file = openat(fd, "settings.json", O_WRONLY | O_CREAT, 0644);

			if (file >= 0)
				close(file);
		}
		close(fd);
	}
}

static void
check_filled(void)
{
	assert_false(has_name(".claude"));
}

static void
test_placeholder_filled_through_a_handle(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = fill_the_placeholder, .processes = 4 },
	    check_filled);
}

/* A name below directories that do not exist either. */
static void
make_deep_name(void)
{
	if (mkdir("c", 0755) < 0 || mkdir("c/fish", 0755) < 0 || mkdir("c/fish/conf.d", 0755) < 0 ||
	    put("c/fish/conf.d/evil.fish", "x", 0) < 0 || rename("c", ".config") < 0)
		_exit(1);
	if (!wait_for_placeholder(".config/fish/conf.d"))
		_exit(2);
	if (rename(".config", "d") == 0 || rename(".config/fish", ".config/d") == 0)
		_exit(3);
	if (put(".config/other", "kept", 0) < 0 || put(".config/fish/config.fish", "x", 0) < 0 ||
	    !wait_for_placeholder(".config/fish/config.fish"))
		_exit(4);
}

static void
check_deep_name(void)
{
	assert_false(has_name(".config/fish/conf.d"));
	assert_false(has_name(".config/fish/config.fish"));
	assert_true(has_name(".config/fish"));
	assert_true(has_name(".config/other"));
	assert_true(was_told(GUARD_EVENT_TAKEN, ".config/fish/conf.d "));
}

static void
test_name_below_absent_directories(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = make_deep_name }, check_deep_name);
}

/* What exists. */
static void
attack_existing(void)
{
	if (mkdir("x", 0755) < 0 || put("y", evil, 0) < 0)
		_exit(1);
	if (rename(".git", "z") == 0 || rename("x", ".git") == 0 ||
	    rename(".git/hooks", "z") == 0 || rename("y", ".git/config") == 0 ||
	    unlink(".git/config") == 0 || put(".git/config", evil, 0) == 0 ||
	    put(".git/hooks/post-commit", "x", 0) == 0 ||
	    syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, ".git", 2) == 0 ||
	    syscall(SYS_renameat2, AT_FDCWD, "y", AT_FDCWD, ".git/config", 2) == 0 ||
	    link(".git/config", "w") == 0 || chmod(".git/config", 0777) == 0)
		_exit(2);
	if (put(".git/index", "works", 0) < 0 || put(".git/commondir", "../x", 0) < 0 ||
	    !wait_for_placeholder(".git/commondir"))
		_exit(3);
}

static void
check_existing(void)
{
	_cleanup_free_ char *text = read_text(".git/config");

	assert_string_equal(text, "[core]\n\tbare = false\n");
	assert_true(has_name(".git/index"));
	assert_false(has_name(".git/commondir"));
	assert_false(has_name(".git/hooks/post-commit"));
}

static void
test_existing_names(void **state)
{
	(void)state;
	run(prepare_repository, &(struct scenario){ .inside = attack_existing }, check_existing);
}

/* A program outside replaces the configuration; a handle of its lock file is kept inside. */
static void
write_through_lock_handle(void)
{
	int fd;

	hear(world.to_inside);
	fd = open(".git/config.lock", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		_exit(1);
	say(world.to_outside);
	hear(world.to_inside);
	if (!wait_until_read_only(".git/config"))
		_exit(5);
	usleep(50000); /* and the text noted */
	if (fd_write_all(fd, evil, strlen(evil)) < 0)
		_exit(2);
	/* It is seen at once, not at the end of the run. */
	for (uint64_t end = now_ms() + PATIENCE_MS; now_ms() < end; usleep(500)) {
		_cleanup_free_ char *text = read_text(".git/config");

		if (strstr(text, "evil") == NULL) {
			if (!wait_until_read_only(".git/config"))
				_exit(3);
			return;
		}
	}
	_exit(4);
}

static void
replace_config_outside(void)
{
	put(".git/config.lock", "[core]\n\tbare = false\n[user]\n\tname = A\n", 0);
	say(world.to_inside);
	hear(world.to_outside);
	if (rename(".git/config.lock", ".git/config") < 0)
		_exit(80);
	say(world.to_inside);
}

static void
check_replaced_config(void)
{
	_cleanup_free_ char *text = read_text(".git/config");
	_cleanup_free_ char *kept = find_kept("-config");
	_cleanup_free_ char *kept_text = read_text(kept);

	assert_string_equal(text, "[core]\n\tbare = false\n[user]\n\tname = A\n");
	assert_non_null(strstr(kept_text, "evil"));
	assert_true(was_told(GUARD_EVENT_PUT_BACK, "/.git/config "));
}

static void
test_config_replaced_outside(void **state)
{
	(void)state;
	run(prepare_repository,
	    &(struct scenario){ .inside = write_through_lock_handle,
				.outside = replace_config_outside },
	    check_replaced_config);
}

/* The whole git directory is replaced by a program outside: the new one is guarded too. */
static void
write_to_new_git_dir(void)
{
	say(world.to_outside);
	hear(world.to_inside);
	if (!wait_until_read_only(".git/config") || !wait_until_read_only(".git/hooks"))
		_exit(3);
	if (put(".git/config", evil, O_APPEND) == 0 || rename(".git", "x") == 0 ||
	    put(".git/hooks/post-commit", "x", 0) == 0)
		_exit(1);
	if (put(".git/index", "works", 0) < 0)
		_exit(2);
}

static void
replace_git_dir_outside(void)
{
	hear(world.to_outside); /* the guard has started */
	if (rename(".git", "old") < 0)
		_exit(80);
	prepare_repository();
	say(world.to_inside);
}

static void
check_new_git_dir(void)
{
	_cleanup_free_ char *text = read_text(".git/config");

	assert_null(strstr(text, "evil"));
	assert_true(has_name(".git/index"));
}

static void
test_git_dir_replaced_outside(void **state)
{
	(void)state;
	run(prepare_repository,
	    &(struct scenario){ .inside = write_to_new_git_dir,
				.outside = replace_git_dir_outside },
	    check_new_git_dir);
}

static void
prepare_symlink(void)
{
	assert_int_equal(mkdir("dot", 0755), 0);
	assert_int_equal(symlink("dot", ".claude"), 0);
}

static void
replace_symlink(void)
{
	char target[64] = "";

	if (mkdir("evil", 0755) < 0 || unlink(".claude") < 0)
		_exit(2);
	if (symlink("evil", ".claude") < 0)
		_exit(0); /* the guard was faster */
	for (uint64_t end = now_ms() + PATIENCE_MS; now_ms() < end; usleep(500)) {
		memset(target, 0, sizeof(target));
		if (readlink(".claude", target, sizeof(target) - 1) > 0 && str_equal(target, "dot"))
			_exit(0);
	}
	_exit(1);
}

static void
check_symlink(void)
{
	char target[64] = "";

	assert_true(readlink(".claude", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "dot");
	assert_true(was_told(GUARD_EVENT_PUT_BACK, ".claude"));
}

static void
test_symlink_replaced(void **state)
{
	(void)state;
	run(prepare_symlink, &(struct scenario){ .inside = replace_symlink }, check_symlink);
}

static void
make_repositories(void)
{
	if (mkdir("sub", 0755) < 0 || chdir("sub") < 0)
		_exit(1);
	prepare_repository();
	put(".git/config", evil, 0);
	put(".git/hooks/post-commit", "#!/bin/sh\n", 0);
	chmod(".git/hooks/post-commit", 0755);
	put(".git/hooks/pre-push.sample", "#!/bin/sh\n", 0);
	chmod(".git/hooks/pre-push.sample", 0755);
	if (mkdir("../good", 0755) < 0 || chdir("../good") < 0)
		_exit(2);
	prepare_repository();
}

static void
check_repositories(void)
{
	assert_true(was_told(GUARD_EVENT_NEW_PROGRAM, "/sub/.git/config core.fsmonitor"));
	assert_true(was_told(GUARD_EVENT_NEW_PROGRAM, "/sub/.git/hooks/post-commit"));
	assert_false(was_told(GUARD_EVENT_NEW_PROGRAM, "sample"));
	assert_false(was_told(GUARD_EVENT_NEW_PROGRAM, "/good/"));
	assert_true(has_name("sub/.git/config")); /* told, not taken */
}

static void
test_new_repositories_are_told(void **state)
{
	(void)state;
	run(NULL, &(struct scenario){ .inside = make_repositories }, check_repositories);
}

static void
test_clearing_a_placeholder(void **state)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *file = NULL;

	(void)state;
	set_up_world(geteuid());
	path = path_join(world.ws, ".envrc");
	file = path_join(path, "x");
	assert_int_equal(mkdir(path, 0755), 0);
	guard_clear_placeholder(path); /* somebody's own directory */
	assert_true(has_name(path));
	assert_int_equal(put(file, "x", 0), 0);
	assert_int_equal(chmod(path, 0500), 0);
	guard_clear_placeholder(path); /* with something in it */
	assert_true(has_name(path));
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(chmod(path, 0500), 0);
	guard_clear_placeholder(path);
	assert_false(has_name(path));
	guard_clear_placeholder(path);
	tear_down_world();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent_name),
		cmocka_unit_test(test_absent_name_without_a_broker),
		cmocka_unit_test(test_absent_directory),
		cmocka_unit_test(test_quarantine_on_another_file_system),
		cmocka_unit_test(test_name_made_in_a_loop),
		cmocka_unit_test(test_placeholder_filled_through_a_handle),
		cmocka_unit_test(test_name_below_absent_directories),
		cmocka_unit_test(test_existing_names),
		cmocka_unit_test(test_config_replaced_outside),
		cmocka_unit_test(test_git_dir_replaced_outside),
		cmocka_unit_test(test_symlink_replaced),
		cmocka_unit_test(test_new_repositories_are_told),
		cmocka_unit_test(test_clearing_a_placeholder),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
