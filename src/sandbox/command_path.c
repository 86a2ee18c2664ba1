/* Finding the command; see command_path.h. */
#include "sandbox/command_path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/mem.h"
#include "util/path.h"

/* confstr(_CS_PATH) is "/bin:/usr/bin"; programs of the administrator are expected too. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

static int
check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) < 0 ? -errno : 0;
}

static int
report(int r, const char *name, const char *path, struct error *err)
{
	switch (r) {
	case -EISDIR:
		return error_set(err, -EACCES, "cannot run %s: it is a directory", path);
	case -ENOENT:
	case -ENOTDIR:
		return error_set(err, -ENOENT, "cannot find the command %s", name);
	case -EACCES:
		return error_set(err, -EACCES, "cannot run %s: it is not executable, or its directory is closed",
				 path);
	default:
		return error_set_errno(err, -EACCES, "cannot run %s", path);
	}
}

static int
absolute(const char *path, char **ret_path, struct error *err)
{
	char directory[PATH_MAX];

	if (path[0] == '/') {
		*ret_path = mem_strdup(path);
		return 0;
	}
	if (getcwd(directory, sizeof(directory)) == NULL)
		return error_set_errno(err, -errno, "cannot tell the working directory");
	*ret_path = path_join(directory, path);
	return 0;
}

static const char *
search_path(const struct strv *environment)
{
	for (size_t i = 0; i < environment->count; i++) {
		if (str_starts_with(environment->items[i], "PATH="))
			return environment->items[i] + strlen("PATH=");
	}
	return DEFAULT_PATH;
}

int
command_path_find(const char *name, const struct strv *environment, char **ret_path,
		  struct error *err)
{
	const char *rest = search_path(environment);
	_cleanup_free_ char *refused = NULL;
	int refusal = -ENOENT;

	if (*name == '\0')
		return error_set(err, -ENOENT, "the command is empty");
	if (strchr(name, '/') != NULL) {
		int r = check_executable(name);

		return r < 0 ? report(r, name, name, err) : absolute(name, ret_path, err);
	}
	for (;;) {
		size_t n = strcspn(rest, ":");
		_cleanup_free_ char *directory = mem_strndup(n ? rest : ".", n ? n : 1);
		_cleanup_free_ char *candidate = path_join(directory, name);
		int r = check_executable(candidate);

		if (r == 0)
			return absolute(candidate, ret_path, err);
		/* As execvp(3): a refusal is told only if no later directory has the command. */
		if ((r == -EACCES || r == -EISDIR) && refused == NULL) {
			refusal = r;
			refused = TAKE_PTR(candidate);
		}
		if (rest[n] == '\0')
			break;
		rest += n + 1;
	}
	if (refused != NULL && refusal == -EACCES)
		return report(refusal, name, refused, err);
	return error_set(err, -ENOENT, "cannot find the command %s in PATH", name);
}
