/*
 * Under --allow-exec: a program in memory is executed by execveat and by its magic link.
 *
 * porta: --allow-exec $PROGRAM
 */
#include "attack.h"

#include <sys/sendfile.h>

/* What is executed is this program itself: with one argument it exits 99. */
static int
attack(void)
{
	char *const argv[] = { "program", NULL };
	struct stat status;
	int source = open("/bin/true", O_RDONLY);
	int fd = memfd_create("program", 0);

	if (fd < 0 || fstat(source, &status) < 0)
		return held("memfd_create");
	if (sendfile(fd, source, NULL, (size_t)status.st_size) != status.st_size)
		return held("sendfile");
	pid_t child = fork();
	if (child == 0) {
		char magic[64];
		snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		execve(magic, argv, environ);
		_exit(errno == EACCES ? 13 : 1);
	}
	int ended = 0;
	waitpid(child, &ended, 0);
	errno = WEXITSTATUS(ended);
	return ended == 0 ? escaped("executed a program in memory") : held("execve");
}
