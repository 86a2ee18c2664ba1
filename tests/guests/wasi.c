/*
 * Calls of WASI itself, without the C library's view of paths: `wasi OPERATION...`. Prints what it reads, or "ok";
 * on failure the number of the error (wasi_snapshot_preview1) and exit code 1. Directories are descriptors, 3 the
 * first that was handed in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#define INHERITED (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_PATH_OPEN)

static __wasi_errno_t
open_at(__wasi_fd_t directory, const char *path, __wasi_lookupflags_t lookup, __wasi_oflags_t flags, int writes,
	__wasi_fd_t *ret_fd)
{
	__wasi_rights_t rights = __WASI_RIGHTS_FD_READ | (writes ? __WASI_RIGHTS_FD_WRITE : 0);

	return __wasi_path_open(directory, lookup, path, flags, rights, INHERITED, 0, ret_fd);
}

static __wasi_errno_t
print(__wasi_fd_t fd)
{
	uint8_t bytes[4096];
	__wasi_iovec_t part = { bytes, sizeof(bytes) };
	__wasi_size_t n;
	__wasi_errno_t r = __wasi_fd_read(fd, &part, 1, &n);

	if (r == 0)
		fwrite(bytes, 1, n, stdout);
	return r;
}

static __wasi_errno_t
put(__wasi_fd_t fd)
{
	__wasi_ciovec_t part = { (const uint8_t *)"evil", 4 };
	__wasi_size_t n;

	return __wasi_fd_write(fd, &part, 1, &n);
}

static __wasi_errno_t
run(char **words)
{
	const char *operation = words[0];
	__wasi_fd_t directory = (__wasi_fd_t)atoi(words[1]);
	const char *path = words[2];
	__wasi_fd_t fd;
	__wasi_errno_t r;

	if (strcmp(operation, "read") == 0) {
		r = open_at(directory, path, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, 0, 0, &fd);
		return r != 0 ? r : print(fd);
	}
	if (strcmp(operation, "read-through") == 0) { /* a directory, and from it on */
		r = open_at(directory, path, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, __WASI_OFLAGS_DIRECTORY, 0, &fd);
		return r != 0 ? r : run((char *[]){ "read", (char[]){ (char)('0' + fd), 0 }, words[3] });
	}
	if (strcmp(operation, "write") == 0) {
		r = open_at(directory, path, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, __WASI_OFLAGS_CREAT, 1, &fd);
		return r != 0 ? r : put(fd);
	}
	if (strcmp(operation, "truncate") == 0)
		return open_at(directory, path, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, __WASI_OFLAGS_TRUNC, 0, &fd);
	if (strcmp(operation, "mkdir") == 0)
		return __wasi_path_create_directory(directory, path);
	if (strcmp(operation, "unlink") == 0)
		return __wasi_path_unlink_file(directory, path);
	if (strcmp(operation, "rmdir") == 0)
		return __wasi_path_remove_directory(directory, path);
	if (strcmp(operation, "symlink") == 0)
		return __wasi_path_symlink(words[3], directory, path);
	if (strcmp(operation, "link") == 0)
		return __wasi_path_link(directory, 0, path, (__wasi_fd_t)atoi(words[3]), words[4]);
	if (strcmp(operation, "rename") == 0)
		return __wasi_path_rename(directory, path, (__wasi_fd_t)atoi(words[3]), words[4]);
	if (strcmp(operation, "times") == 0)
		return __wasi_path_filestat_set_times(directory, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 1, 1,
						      __WASI_FSTFLAGS_MTIM);
	if (strcmp(operation, "renumber") == 0) { /* another directory under a number that is trusted */
		r = __wasi_fd_renumber(directory, (__wasi_fd_t)atoi(path));
		return r != 0 ? r : run(words + 3);
	}
	if (strcmp(operation, "close") == 0) {
		r = __wasi_fd_close(directory);
		return r != 0 ? r : run(words + 3);
	}
	return __WASI_ERRNO_NOSYS;
}

int
main(int argc, char **argv)
{
	__wasi_errno_t r = argc < 4 ? __WASI_ERRNO_INVAL : run(argv + 1);

	if (r != 0) {
		printf("error %d\n", (int)r);
		return 1;
	}
	if (strncmp(argv[1], "read", 4) != 0)
		puts("ok");
	return 0;
}
