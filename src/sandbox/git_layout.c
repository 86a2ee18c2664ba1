/* Where a git repository keeps what; see git_layout.h. */
#include "sandbox/git_layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool
exists(int directory_fd, const char *name)
{
	struct stat st;

	return fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
git_layout_is_git_dir(int directory_fd)
{
	if (!exists(directory_fd, "HEAD"))
		return false;
	return (exists(directory_fd, "objects") && exists(directory_fd, "refs")) ||
	       exists(directory_fd, "commondir");
}

int
git_layout_read_line(int directory_fd, const char *name, const char *prefix, char **ret_text)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	const char *line;
	size_t length;
	int r;

	/* Non-blocking: it may be a FIFO. */
	fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_read_whole(fd, GIT_LAYOUT_LINK_MAX_BYTES, &text, &length);
	if (r < 0)
		return r;
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	if (strlen(text) != length || !str_starts_with(text, prefix))
		return -EINVAL;
	line = text + strlen(prefix);
	if (*line == '\0' || strchr(line, '\n') != NULL)
		return -EINVAL;
	*ret_text = mem_strdup(line);
	return 0;
}

/* realpath(3) of `path`, taken from `base` if it is relative. */
static int
resolve(const char *base, const char *path, char **ret_path)
{
	_cleanup_free_ char *whole = path[0] == '/' ? mem_strdup(path) : path_join(base, path);
	char *real = realpath(whole, NULL);

	if (real == NULL)
		return -errno;
	*ret_path = real;
	return 0;
}

/*
 * The common directory, if `git_dir` is COMMON/worktrees/NAME and COMMON is a git directory called
 * .git or *.git.
 */
static int
find_common_dir(int git_dir_fd, const char *git_dir, char **ret_common_dir)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *common = NULL;
	_cleanup_free_ char *worktrees = path_dirname(git_dir);
	_cleanup_free_ char *expected = path_dirname(worktrees);
	_cleanup_fd_ int fd = -1;
	int r;

	r = git_layout_read_line(git_dir_fd, "commondir", "", &line);
	if (r < 0)
		return r;
	r = resolve(git_dir, line, &common);
	if (r < 0)
		return r;
	if (!str_equal(common, expected) || !str_equal(path_basename(worktrees), "worktrees") ||
	    !str_ends_with(common, ".git"))
		return -ENOENT;
	fd = open(common, DIRECTORY_FLAGS);
	if (fd < 0)
		return -errno;
	if (!git_layout_is_git_dir(fd))
		return -ENOENT;
	*ret_common_dir = TAKE_PTR(common);
	return 0;
}

int
git_layout_find_worktree(int directory_fd, const char *path, char **ret_git_dir,
			 char **ret_common_dir)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *git_dir = NULL;
	_cleanup_free_ char *back = NULL;
	_cleanup_free_ char *back_real = NULL;
	_cleanup_free_ char *own = path_join(path, ".git");
	_cleanup_fd_ int git_dir_fd = -1;
	int r;

	r = git_layout_read_line(directory_fd, ".git", "gitdir: ", &line);
	if (r < 0)
		return r;
	r = resolve(path, line, &git_dir);
	if (r < 0)
		return r;
	git_dir_fd = open(git_dir, DIRECTORY_FLAGS);
	if (git_dir_fd < 0)
		return -errno;
	r = git_layout_read_line(git_dir_fd, "gitdir", "", &back);
	if (r < 0)
		return r;
	r = resolve(git_dir, back, &back_real);
	if (r < 0)
		return r;
	if (!str_equal(back_real, own))
		return -ENOENT;
	r = find_common_dir(git_dir_fd, git_dir, ret_common_dir);
	if (r == 0)
		*ret_git_dir = TAKE_PTR(git_dir);
	return r;
}

/* The subdirectories of an open directory's subdirectory `path`, "." and ".." left out. */
static int
list_directories(int base_fd, const char *path, struct strv *list)
{
	int fd = openat(base_fd, path, DIRECTORY_FLAGS);
	struct dirent *entry;
	size_t count = 0;
	DIR *directory;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	directory = fdopendir(fd);
	if (directory == NULL) {
		fd_close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (errno = 0, entry = readdir(directory)) != NULL) {
		struct stat st;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		if (++count > GIT_LAYOUT_ENTRIES_MAX)
			r = -E2BIG;
		else if (entry->d_type == DT_DIR ||
			 (entry->d_type == DT_UNKNOWN &&
			  fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			  S_ISDIR(st.st_mode)))
			strv_take(list, path_join(path, entry->d_name));
	}
	if (r == 0 && errno != 0)
		r = -errno;
	closedir(directory);
	return r;
}

int
git_layout_list_worktrees(int git_dir_fd, struct strv *list)
{
	int r = list_directories(git_dir_fd, "worktrees", list);

	return r == 0 && list->count > GIT_LAYOUT_DIRECTORIES_MAX ? -E2BIG : r;
}

int
git_layout_list_modules(int git_dir_fd, struct strv *list)
{
	struct strv queue = STRV_INIT;
	int r = list_directories(git_dir_fd, "modules", &queue);

	for (size_t i = 0; r == 0 && i < queue.count; i++) {
		_cleanup_free_ char *below = NULL;
		_cleanup_fd_ int fd = -1;

		if (i >= GIT_LAYOUT_DIRECTORIES_MAX) {
			r = -E2BIG;
			break;
		}
		fd = openat(git_dir_fd, queue.items[i], DIRECTORY_FLAGS);
		if (fd < 0) {
			r = -errno;
			break;
		}
		/* A name with slashes is a row of plain directories down to the git directory. */
		if (!git_layout_is_git_dir(fd)) {
			r = list_directories(git_dir_fd, queue.items[i], &queue);
			continue;
		}
		strv_add(list, queue.items[i]);
		below = path_join(queue.items[i], "modules");
		r = list_directories(git_dir_fd, below, &queue);
	}
	strv_done(&queue);
	return r;
}
