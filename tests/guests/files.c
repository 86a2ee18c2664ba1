/*
 * One operation on files: `files OPERATION PATH [MORE]`. Prints what it reads, or "ok"; on failure
 * the error's name and exit code 1.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
print_file(const char *path)
{
	char piece[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, (size_t)n, stdout);
	close(fd);
	return (int)n;
}

static int
write_file(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | flags, 0644);
	int r;

	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	return close(fd) < 0 ? -1 : r;
}

static int
list_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL)
		puts(entry->d_name);
	return closedir(directory);
}

static int
print_link(const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	puts(target);
	return 0;
}

static int
print_stat(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	printf("%lld %s\n", (long long)st.st_size, S_ISDIR(st.st_mode) ? "directory" : "file");
	return 0;
}

static int
run(const char *operation, const char *path, const char *more)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	if (strcmp(operation, "read") == 0)
		return print_file(path);
	if (strcmp(operation, "list") == 0)
		return list_directory(path);
	if (strcmp(operation, "stat") == 0)
		return print_stat(path);
	if (strcmp(operation, "readlink") == 0)
		return print_link(path);
	if (strcmp(operation, "write") == 0)
		return write_file(path, more, O_CREAT | O_TRUNC);
	if (strcmp(operation, "overwrite") == 0)
		return write_file(path, more, 0);
	if (strcmp(operation, "append") == 0)
		return write_file(path, more, O_APPEND);
	if (strcmp(operation, "create") == 0)
		return write_file(path, more, O_CREAT | O_EXCL);
	if (strcmp(operation, "truncate") == 0)
		return truncate(path, 0);
	if (strcmp(operation, "mkdir") == 0)
		return mkdir(path, 0755);
	if (strcmp(operation, "rmdir") == 0)
		return rmdir(path);
	if (strcmp(operation, "unlink") == 0)
		return unlink(path);
	if (strcmp(operation, "rename") == 0)
		return rename(path, more);
	if (strcmp(operation, "link") == 0)
		return link(path, more);
	if (strcmp(operation, "symlink") == 0)
		return symlink(more, path);
	if (strcmp(operation, "times") == 0)
		return utimensat(AT_FDCWD, path, times, 0);
	errno = ENOSYS;
	return -1;
}

int
main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: files OPERATION PATH [MORE]\n", stderr);
		return 2;
	}
	if (run(argv[1], argv[2], argc > 3 ? argv[3] : "") < 0) {
		fprintf(stderr, "%s %s: %s\n", argv[1], argv[2], strerror(errno));
		return 1;
	}
	if (strcmp(argv[1], "read") != 0)
		puts("ok");
	return 0;
}
