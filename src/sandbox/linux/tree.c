/* Ends a process tree that has no pid namespace; see tree.h. */
#include "sandbox/linux/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "sandbox/linux/confine.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/strings.h"

#define CHILDREN_MAX_BYTES (4 * 1024 * 1024)
#define STAT_MAX_BYTES	   4096
/* Between two rounds: long enough for what was killed to die, too short for a fork bomb to recover. */
#define ROUND_PAUSE_NS 100000

struct pid_list {
	pid_t *items;
	size_t count;
	size_t capacity;
};

static void
list_add(struct pid_list *list, pid_t pid)
{
	MEM_GROW(list->items, list->capacity, list->count);
	list->items[list->count++] = pid;
}

static void
list_done(struct pid_list *list)
{
	free(list->items);
}

/* proc_tid_children(5), of one thread. 0, or a negative errno: the thread has gone, or the kernel has no such file. */
static int
add_children_of_thread(const char *task_path, const char *tid, struct pid_list *list)
{
	_cleanup_free_ char *path = mem_printf("%s/%s/children", task_path, tid);
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;
	int r = fd_read_file_at(AT_FDCWD, path, CHILDREN_MAX_BYTES, &text, NULL);

	if (r < 0)
		return r;
	for (char *word = strtok_r(text, " \n", &rest); word != NULL;
	     word = strtok_r(NULL, " \n", &rest)) {
		uint64_t pid;

		if (str_parse_u64(word, 1, INT32_MAX, &pid) == 0)
			list_add(list, (pid_t)pid);
	}
	return 0;
}

/* The parent, from proc_pid_stat(5); 0 where there is no such process. */
static pid_t
parent_of(const char *pid)
{
	_cleanup_free_ char *path = mem_printf("/proc/%s/stat", pid);
	_cleanup_free_ char *text = NULL;
	const char *after_name;
	int parent;

	if (fd_read_file_at(AT_FDCWD, path, STAT_MAX_BYTES, &text, NULL) < 0)
		return 0;
	/* The name may hold any byte, so it ends at the last parenthesis. */
	after_name = strrchr(text, ')');
	return after_name != NULL && sscanf(after_name, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Where the kernel has no list of children (CONFIG_PROC_CHILDREN): all processes are asked for their parent. */
static void
add_children_by_search(pid_t parent, struct pid_list *list)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		uint64_t pid;

		if (str_parse_u64(entry->d_name, 1, INT32_MAX, &pid) == 0 &&
		    parent_of(entry->d_name) == parent)
			list_add(list, (pid_t)pid);
	}
	closedir(directory);
}

static void
add_children(pid_t parent, struct pid_list *list)
{
	_cleanup_free_ char *task_path = mem_printf("/proc/%d/task", parent);
	DIR *directory = opendir(task_path);
	const struct dirent *entry;
	bool has_lists = access("/proc/thread-self/children", F_OK) == 0;

	if (directory != NULL && has_lists) {
		while ((entry = readdir(directory)) != NULL) {
			if (entry->d_name[0] != '.')
				(void)add_children_of_thread(task_path, entry->d_name, list);
		}
	} else if (directory != NULL) {
		add_children_by_search(parent, list);
	}
	if (directory != NULL)
		closedir(directory);
}

static bool
is_other(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->others_count; i++) {
		if (tree->others[i] == pid)
			return true;
	}
	return false;
}

int
tree_adopt(struct tree *tree)
{
	struct pid_list children = { 0 };

	*tree = (struct tree){ 0 };
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	add_children(getpid(), &children);
	tree->others = children.items;
	tree->others_count = children.count;
	tree->others_capacity = children.capacity;
	tree->is_adopting = true;
	return 0;
}

void
tree_enclose(struct tree *tree, int landlock_abi)
{
	pid_t parent = getppid();

	if (confine_signals(landlock_abi) < 0)
		return;
	/* kill(-1) would end every process of this user if the domain did not hold: so it is tried on one outside. */
	tree->is_enclosed = parent > 0 && kill(parent, 0) < 0 && errno == EPERM;
}

/* Kills what is below the caller, and reports whether there was anything. */
static bool
kill_round(const struct tree *tree)
{
	struct pid_list found = { 0 };
	size_t own;

	add_children(getpid(), &found);
	own = found.count;
	for (size_t i = 0; i < found.count; i++) {
		if (i < own && is_other(tree, found.items[i])) {
			found.items[i] = 0;
			continue;
		}
		kill(found.items[i], SIGKILL);
		add_children(found.items[i], &found);
	}
	for (size_t i = 0; i < own; i++) {
		if (found.items[i] != 0) {
			list_done(&found);
			return true;
		}
	}
	list_done(&found);
	return false;
}

void
tree_end(struct tree *tree)
{
	const struct timespec pause = { .tv_nsec = ROUND_PAUSE_NS };

	if (tree->is_enclosed) {
		kill(-1, SIGKILL);
		while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
			continue;
		return;
	}
	for (;;) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			continue;
		if ((pid < 0 && errno == ECHILD) || !kill_round(tree))
			return;
		nanosleep(&pause, NULL);
	}
}

void
tree_done(struct tree *tree)
{
	if (tree != NULL)
		free(TAKE_PTR(tree->others));
}
